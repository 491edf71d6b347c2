/**
 * A whole change of the embedding model on the real system: the Worker in workerd, a Postgres, and two embedding servers (all-MiniLM-L6-v2 in int8, then
 * fp32), with searches going on all the time. Fails where one search fails, finds nothing, or a document is lost.
 * `node bench/model-change/main.ts [--texts PATH] [--documents N] [--database pglite|native]`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { ApiClient } from "../../src/cli/api-client.ts";
import { keysContext } from "../../src/cli/keys-context.ts";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { jobRunReportSchema } from "../../src/lib/contract/job.ts";
import {
  modelComparisonSchema,
  modelCoverageListSchema,
  modelListSchema,
  modelSchema,
  promotionSchema,
} from "../../src/lib/contract/model.ts";
import type { KeyScope } from "../../src/lib/contract/principal.ts";
import { createKey, createTenant } from "../../src/lib/flows/keys/manage-keys.ts";
import { bundleWorker } from "../../src/stack/bundle-worker.ts";
import { startEmbedder } from "../../src/stack/embedder-process.ts";
import { startWorkerRuntime } from "../../src/stack/worker-runtime.ts";
import { expectOk, openTestDatabase, type TestDatabase } from "../../test/support/database.ts";
import { ingestTexts } from "../end-to-end/ingest-texts.ts";
import { HOME_FOLDER } from "../support/home-folder.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { SearchLoop } from "./search-loop.ts";

const TENANT = "changing";
const ROUNDS_MAX = 100;
const TIMEOUT_MS = 5 * MINUTE_MS;

const { values } = parseArgs({
  options: { texts: { type: "string" }, documents: { type: "string" }, database: { type: "string" } },
});
const backend = z.enum(["pglite", "native"]).parse(values.database ?? "pglite");
const texts = await readBenchTexts(values.texts, Number(values.documents ?? 20));
const folder = await mkdtemp(join(tmpdir(), "jeeves-model-change-"));
const stops: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
try {
  await measure();
} finally {
  for (const stop of stops.toReversed()) await stop();
}

async function startServer(precision: "int8" | "fp32"): Promise<string> {
  const server = await startEmbedder({
    projectFolder: PROJECT_FOLDER,
    modelFolder: join(HOME_FOLDER, "models", "all-MiniLM-L6-v2"),
    variables: { EMBED_PRECISION: precision, EMBED_THREADS: "1" },
    log: () => undefined,
  });
  stops.push(() => server.stop());
  return server.endpoint;
}

async function startSystem(): Promise<{ readonly url: string; readonly database: TestDatabase }> {
  const endpoints = [await startServer("int8"), await startServer("fp32")] as const;
  const database = await openTestDatabase({ backend });
  stops.push(() => database.close());
  await bundleWorker(PROJECT_FOLDER, join(folder, "build"));
  const runtime = await startWorkerRuntime({
    projectFolder: PROJECT_FOLDER,
    buildFolder: join(folder, "build"),
    stateFolder: join(folder, "state"),
    port: 0,
    bindings: {
      DATABASE_URL: database.connectionString,
      SQL_FETCH_ENDPOINT: database.endpointUrl,
      EMBED_ENDPOINT: endpoints[0],
      EMBED_ENDPOINT_NEXT: endpoints[1],
      SESSION_SECRET: "secret-of-the-sessions-of-the-bench",
    },
    log: () => undefined,
  });
  stops.push(() => runtime.stop());
  return { url: runtime.url, database };
}

async function newKey(database: TestDatabase, tenantId: string, scopes: readonly KeyScope[]): Promise<string> {
  expectOk(await createTenant(database.ownerSql, tenantId, tenantId));
  const asked = { tenantId, userId: "", scopes, label: "bench", expiresAtMs: null };
  return expectOk(await createKey(keysContext(database.ownerSql), asked)).key;
}

/** Runs the job until nothing is left; seconds. */
async function reembed(api: ApiClient): Promise<number> {
  const startedMs = performance.now();
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const run = await api.json(jobRunReportSchema, {
      method: "POST",
      path: "/v1/admin/jobs/reembed/run",
      json: {},
      timeoutMs: TIMEOUT_MS,
    });
    if (run.state === "done") return (performance.now() - startedMs) / 1000;
    if (run.state !== "partial") throw new Error(`reembed ended as ${run.state}: ${JSON.stringify(run.report)}`);
  }
  throw new Error("reembed does not end");
}

async function measure(): Promise<void> {
  const { url, database } = await startSystem();
  const operator = new ApiClient(url, await newKey(database, "operations", ["admin", "operator"]));
  const key = await newKey(database, TENANT, ["ingest", "search"]);
  const post = <T>(schema: z.ZodType<T>, path: string, json: unknown = {}): Promise<T> =>
    operator.json(schema, { method: "POST", path: `/v1/admin/models${path}`, json, timeoutMs: TIMEOUT_MS });
  const first = await post(modelSchema, "", { activate: true });
  const ingested = await ingestTexts({ url, key }, texts, "change-first");
  console.log(
    `indexed   ${texts.length} documents, ${ingested.chunkCount} chunks, ${ingested.tokenCount} tokens in ${ingested.seconds.toFixed(1)} s`,
  );
  const next = await post(modelSchema, "", { server: "next" });
  console.log(
    `models    ${first.fingerprint.slice(0, 8)} (int8) is active, ${next.fingerprint.slice(0, 8)} (fp32) registered`,
  );
  const queries = texts.map(({ text }) => text.slice(0, 1_000).split(/\s+/).slice(5, 20).join(" "));
  const searches = new SearchLoop(new ApiClient(url, key), queries);
  const searching = searches.run();
  const alone = await searches.during(() => new Promise((resolve) => setTimeout(resolve, 5_000)));
  console.log(`searches  ${alone}   nothing else going on`);
  let fillSeconds = 0;
  const during = await searches.during(async () => {
    fillSeconds = await reembed(operator);
  });
  const page = await operator.json(modelCoverageListSchema, {
    path: `/v1/admin/models/${next.model_id}/coverage?price=0.02`,
  });
  const filled = page.tenants.find(({ tenant_id: id }) => id === TENANT);
  console.log(
    `reembed   ${fillSeconds.toFixed(1)} s, ${filled?.covered_count} of ${filled?.document_count} documents, ${filled?.embedded_tokens} tokens, ${Math.round((filled?.embedded_tokens ?? 0) / fillSeconds)} tokens/s, ${filled?.cost?.toFixed(6)} at 0.02 a million`,
  );
  console.log(`searches  ${during}   while it ran`);
  const compared = await post(modelComparisonSchema, `/${next.model_id}/compare`, { tenant_id: TENANT, queries });
  console.log(
    `compare   overlap@10 ${compared.vector.overlap_mean.toFixed(3)} by vectors (least ${compared.vector.overlap_min.toFixed(2)}), ${compared.hybrid.overlap_mean.toFixed(3)} as a search; same first ${(100 * compared.hybrid.same_first_share).toFixed(0)} %`,
  );
  const late = texts.slice(0, 3).map(({ id, text }) => ({
    id: `late-${id}`,
    text: `Late, and of its own: ${text.split(/\s+/).toReversed().slice(0, 200).join(" ")}`,
  }));
  await ingestTexts({ url, key }, late, "change-late");
  for (const [name, path] of [
    ["promote", `/${next.model_id}/promote`],
    ["rollback", "/rollback"],
    ["promote", "/rollback"],
  ] as const) {
    let seconds = 0;
    let caughtUp = 0;
    const beside = await searches.during(async () => {
      const startedMs = performance.now();
      const done = await post(promotionSchema, path);
      seconds = (performance.now() - startedMs) / 1000;
      caughtUp = done.caught_up_count;
      console.log(
        `${name.padEnd(9)} ${seconds.toFixed(2)} s, indexing held ${done.held_seconds.toFixed(2)} s, ${caughtUp} documents caught up`,
      );
    });
    console.log(`searches  ${beside}   while it ran`);
  }
  await reembed(operator);
  await operator.json(modelListSchema, { method: "POST", path: `/v1/admin/models/${first.model_id}/retire` });
  const deleteSeconds = await reembed(operator);
  console.log(`retire    rows removed in ${deleteSeconds.toFixed(1)} s`);
  searches.stop();
  await searching;
  console.log(
    `all       ${searches.count} searches, ${searches.failures.length} failures, fingerprints ${[...searches.fingerprints].map((each) => each.slice(0, 8)).join(", ")}`,
  );
  if (searches.failures.length > 0) throw new Error(`searches failed: ${searches.failures.slice(0, 3).join("; ")}`);
}
