import { beforeAll, describe, expect, inject, it } from "vitest";
import { jobListSchema, jobRunReportSchema } from "../../src/lib/contract/job.ts";
import { S3Client } from "../../src/lib/s3/s3-client.ts";
import { ask, makeKey, suiteEnv } from "./support/worker.ts";

const { s3 } = inject("provided");
const bindings = suiteEnv({
  SYNC_ENDPOINT: s3.endpoint,
  SYNC_BUCKET: s3.bucket,
  SYNC_REGION: s3.region,
  SYNC_ACCESS_KEY_ID: s3.accessKeyId,
  SYNC_SECRET_ACCESS_KEY: s3.secretAccessKey,
});
const bucket = bindings.BUCKET;
let operator: string;
beforeAll(async () => {
  operator = (await makeKey("operations", ["operator"])).key;
});

async function run(job: string, env = bindings) {
  const headers = { "content-type": "application/json" };
  const reply = await ask(`/v1/admin/jobs/${job}/run`, { method: "POST", key: operator, body: "{}", headers }, env);
  return { status: reply.status, json: reply.json };
}

describe("the second remote from inside workerd", () => {
  it("gets large and small objects by the route of jobs, and gives them back", async () => {
    const large = new Uint8Array(9 * 1024 * 1024).map((_, index) => (index * 31) % 251);
    await bucket.put("packs/synced/large.mpz", large, { customMetadata: { hash: "l" } });
    await bucket.put("segments/synced/ann%40x.org/talk/1.seg", "events", { customMetadata: { hash: "s" } });
    const copied = jobRunReportSchema.parse((await run("sync")).json);
    expect(copied).toMatchObject({ job: "sync", state: "done", report: { failedCount: 0, stoppedBy: null } });
    const remote = new S3Client(s3, {
      fetch: (url, init) => fetch(url, init),
      clock: Date.now,
      random: Math.random,
      sleep: async () => undefined,
    });
    const head = await remote.head("packs/synced/large.mpz");
    expect(head.ok && head.value?.sizeBytes).toBe(large.length);
    await bucket.delete(["packs/synced/large.mpz", "segments/synced/ann%40x.org/talk/1.seg"]);
    const brought = jobRunReportSchema.parse((await run("sync_back")).json);
    expect(brought).toMatchObject({ state: "done", report: { broughtCount: 2, unverifiedCount: 0 } });
    const object = await bucket.get("packs/synced/large.mpz");
    expect(new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(large);
    expect(object?.customMetadata).toEqual({ hash: "l" });
  });

  it("is not there where none is named, and half of a name is no configuration", async () => {
    const { jobs } = jobListSchema.parse((await ask("/v1/admin/jobs", { key: operator })).json);
    expect(jobs.find(({ name }) => name === "sync")).toMatchObject({ enabled: false });
    expect((await run("sync", suiteEnv())).status).toBe(409);
    const half = suiteEnv({ SYNC_ENDPOINT: s3.endpoint });
    expect((await ask("/v1/admin/jobs", { key: operator }, half).catch(() => ({ status: 500 }))).status).toBe(500);
  });
});
