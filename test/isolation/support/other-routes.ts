/** Routes that need Durable Objects: `test/workerd/session-isolation.test.ts` probes them. */
export const PROBED_IN_WORKERD: Readonly<Record<string, true>> = {
  openSession: true,
  appendFrames: true,
  streamFrames: true,
  getSession: true,
  sealSession: true,
  eraseSession: true,
};

/** Routes that hold nothing of any tenant. */
export const WITHOUT_PROBES: Readonly<Record<string, string>> = {
  livez: "says that the Worker runs",
  readyz: "says which systems answer",
  openapi: "describes the surface",
  docs: "describes the surface",
};
