/** Outcome of the newest run of the golden self-test. */
export type SelfTestState = {
  /** What was wrong, or undefined when it passed. */
  readonly fault: string | undefined;
  /** Milliseconds since it ended. */
  readonly ageMs: number;
};

/** What the server is able to do now. */
export type Readiness = {
  /** Why it should get no requests, as a stable code; undefined when it should. */
  readonly reason: "shutting_down" | "inference_thread_missing" | "self_test_failed" | undefined;
  /** Where inference truly runs, as ONNX Runtime's name of the provider, and the device. */
  readonly provider: string;
  readonly device: string;
  readonly selfTest: SelfTestState;
  readonly sessionsAlive: number;
  readonly sessionsWanted: number;
};

type Facts = Omit<Readiness, "reason"> & { readonly stopping: boolean };

/** Judges the facts. A missing thread is replaced within seconds; until then requests are better sent elsewhere. */
export function judgeReadiness({ stopping, ...facts }: Facts): Readiness {
  if (stopping) return { ...facts, reason: "shutting_down" };
  if (facts.sessionsAlive < facts.sessionsWanted) return { ...facts, reason: "inference_thread_missing" };
  return { ...facts, reason: facts.selfTest.fault === undefined ? undefined : "self_test_failed" };
}
