/** A segment of 64 MB sealed by the production Worker: how long it takes and what workerd needs for it. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiClient } from "../../src/cli/api-client.ts";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { framesReplySchema, sessionReplySchema, type SessionReply } from "../../src/lib/contract/session.ts";
import { openedReplySchema } from "../../src/lib/contract/session-opening.ts";
import { bundleWorker } from "../../src/stack/bundle-worker.ts";
import { startWorkerRuntime, type WorkerRuntime } from "../../src/stack/worker-runtime.ts";
import { processTree } from "../support/process-usage.ts";
import { watchMemory, type MemoryChange } from "../support/resident-memory.ts";
import { createBenchKey, openBenchStore, temporaryFolder } from "../support/store.ts";

const SEGMENT_BYTES = 64 * 1024 * 1024;
const FRAMES_PER_REQUEST = 64;
/** Two frames in three requests' time would be a lively talk; here the object is to be full. */
const ROTATE_BYTES = 200 * 1024 * 1024;
const SAMPLE_EVERY_MS = 10;
const SETTLE_MS = 5_000;
const POLL_MS = 50;
const PATIENCE_MS = 300_000;
const SESSION_PATH = "/v1/sessions/large";

export interface SealedLarge extends MemoryChange {
  readonly eventCount: number;
  readonly sizeBytes: number;
  readonly seconds: number;
}

/** `textOf(n)` is the n-th event's text; all are different. */
export async function sealLarge(textOf: (index: number) => string): Promise<SealedLarge> {
  const folder = await temporaryFolder();
  const store = await openBenchStore("pglite:memory");
  await bundleWorker(PROJECT_FOLDER, join(folder, "build"));
  const start = (): Promise<WorkerRuntime> =>
    startWorkerRuntime({
      projectFolder: PROJECT_FOLDER,
      buildFolder: join(folder, "build"),
      stateFolder: join(folder, "state"),
      port: 0,
      bindings: {
        DATABASE_URL: store.appUrl,
        ...(store.fetchEndpoint === undefined ? {} : { SQL_FETCH_ENDPOINT: store.fetchEndpoint }),
        EMBED_ENDPOINT: "http://127.0.0.1:9",
        SESSION_SECRET: "a secret of this bench, and of nothing else",
        SESSION_ROTATE_BYTES: String(ROTATE_BYTES),
        SESSION_ROTATE_SECONDS: "86400",
        SESSION_IDLE_SECONDS: "86400",
      },
      log: () => undefined,
    });
  const key = await createBenchKey(store.ownerSql, "bench-segment");
  let runtime = await start();
  try {
    const eventCount = await fill(new ApiClient(runtime.url, key), runtime.url, textOf);
    // A fresh process: what the filling left on its heap would hide what the sealing needs.
    await runtime.stop();
    runtime = await start();
    return { eventCount, ...(await seal(new ApiClient(runtime.url, key))) };
  } finally {
    await runtime.stop();
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Events until their texts have the segment's size, and until all of them are in WAL objects. */
async function fill(api: ApiClient, url: string, textOf: (index: number) => string): Promise<number> {
  const opened = await api.json(openedReplySchema, {
    method: "POST",
    path: "/v1/sessions",
    json: { session_id: "large" },
  });
  const writer = new ApiClient(url, opened.write_token);
  let [seq, bytes] = [0, 0];
  while (bytes < SEGMENT_BYTES) {
    const lines: string[] = [];
    for (let index = 0; index < FRAMES_PER_REQUEST; index += 1) {
      const text = textOf(seq);
      seq += 1;
      bytes += Buffer.byteLength(text);
      lines.push(JSON.stringify({ seq, at_ms: 1_790_000_000_000 + seq, role: "user", text }));
    }
    const body = { mediaType: "application/x-ndjson", text: lines.join("\n") };
    await writer.json(framesReplySchema, { method: "POST", path: `${SESSION_PATH}/frames`, body });
  }
  await until(api, ({ seqs }) => seqs.queued === seq);
  return seq;
}

async function seal(api: ApiClient): Promise<Omit<SealedLarge, "eventCount">> {
  await api.json(sessionReplySchema, { path: SESSION_PATH });
  await sleep(SETTLE_MS);
  const workerd = processTree(process.pid).filter(({ name }) => name.startsWith("workerd"));
  const memory = watchMemory({ workerd: workerd.map(({ pid }) => pid) }, SAMPLE_EVERY_MS);
  const startedAtMs = performance.now();
  await api.response({ method: "POST", path: `${SESSION_PATH}/seal` });
  const state = await until(api, ({ segments }) => segments.length > 0);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const sizeBytes = state.segments.reduce((sum, segment) => sum + segment.size_bytes, 0);
  return { ...memory.end().workerd, sizeBytes, seconds };
}

async function until(api: ApiClient, holds: (state: SessionReply) => boolean): Promise<SessionReply> {
  const endAtMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const state = await api.json(sessionReplySchema, { path: SESSION_PATH });
    if (holds(state)) return state;
    if (Date.now() > endAtMs) throw new Error(`the session did not come so far: ${JSON.stringify(state.seqs)}`);
    await sleep(POLL_MS);
  }
}
