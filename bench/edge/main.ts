/**
 * Edge ingest through the production Worker, against a Worker that only puts the same body into R2 and sends one message.
 * `node bench/edge/main.ts [--texts PATH] [--rounds N]`
 */
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { bundleWorker } from "../../src/stack/bundle-worker.ts";
import { finishBench, readBenchArguments } from "../support/bench-arguments.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { median } from "../support/statistics.ts";
import { createBenchKey, openBenchStore, temporaryFolder } from "../support/store.ts";
import { documentBodies } from "./document-bodies.ts";
import { startEdgeRuntime, type EdgeRuntime } from "./edge-runtime.ts";
import { sendLoad, type LoadResult } from "./send-load.ts";

const CONNECTIONS = 16;
/** Requests of one round: far below the ten thousand waiting messages at which the local queue breaks. */
const SINGLE_REQUESTS = 800;
const HUNDRED_REQUESTS = 64;
const HUNDRED = 100;
const DOCUMENT_BYTES = 1024;
/** Different bodies of a round, sent in turn. */
const BODY_COUNT = 256;
/** Longer than the consumers' batch timeout of wrangler.toml: when nothing came for that long, the queue is empty. */
const QUIET_MS = 1_500;
const UNUSED_EMBEDDER = "http://127.0.0.1:9";

interface Sent extends LoadResult {
  /** Processor time of workerd for one request, with what the queue did for it. */
  readonly cpuMs: number;
}

const options = readBenchArguments({ rounds: 7, documents: 1000 });
const texts = await readBenchTexts(options.textsPath, options.documentsMax);
const singleBodies = documentBodies(texts, {
  bodyCount: BODY_COUNT,
  documentsPerBody: 1,
  documentBytes: DOCUMENT_BYTES,
});
const hundredBodies = documentBodies(texts, { bodyCount: 8, documentsPerBody: HUNDRED, documentBytes: DOCUMENT_BYTES });

const buildFolder = await temporaryFolder();
const store = await openBenchStore("pglite:memory");
const runtimes: EdgeRuntime[] = [];
let logLines = 0;
try {
  await bundleWorker(PROJECT_FOLDER, buildFolder);
  const bindings = {
    DATABASE_URL: store.appUrl,
    EMBED_ENDPOINT: UNUSED_EMBEDDER,
    ...(store.fetchEndpoint === undefined ? {} : { SQL_FETCH_ENDPOINT: store.fetchEndpoint }),
  };
  const ours = await startEdgeRuntime({ kind: "ours", buildFolder, bindings }, () => logLines++);
  runtimes.push(ours);
  const bare = await startEdgeRuntime({ kind: "bare" }, () => undefined);
  runtimes.push(bare);
  await measure(ours, bare, await createBenchKey(store.ownerSql, "bench-edge"));
} finally {
  for (const runtime of runtimes) await runtime.stop();
  await store.close();
  await rm(buildFolder, { recursive: true, force: true });
}

async function measure(ours: EdgeRuntime, bare: EdgeRuntime, key: string): Promise<void> {
  const send = async (runtime: EdgeRuntime, bodies: readonly Buffer[], requestCount: number): Promise<Sent> => {
    const cpuSecondsBefore = runtime.cpuSeconds();
    const result = await sendLoad({
      url: `${runtime.url}/v1/documents`,
      headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
      bodies,
      requestCount,
      connectionCount: CONNECTIONS,
      expectedStatus: 202,
    });
    await queueEmpty(runtime);
    return { ...result, cpuMs: ((runtime.cpuSeconds() - cpuSecondsBefore) / requestCount) * 1000 };
  };
  // The first round warms both sides up and is not counted.
  const rounds: { ours: Sent; bare: Sent; hundred: Sent }[] = [];
  for (let round = 0; round <= options.rounds; round += 1) {
    const result = {
      ours: await send(ours, singleBodies, SINGLE_REQUESTS),
      bare: await send(bare, singleBodies, SINGLE_REQUESTS),
      hundred: await send(ours, hundredBodies, HUNDRED_REQUESTS),
    };
    if (round === 0) continue;
    rounds.push(result);
    console.log(
      `round ${round}: ours ${result.ours.requestsPerSecond.toFixed(0)}/s, bare ${result.bare.requestsPerSecond.toFixed(0)}/s, ` +
        `100-document bodies ${(result.hundred.requestsPerSecond * HUNDRED).toFixed(0)} records/s`,
    );
  }
  const rates = (pick: (round: (typeof rounds)[number]) => number): number[] => rounds.map(pick);
  const oursRates = rates((round) => round.ours.requestsPerSecond);
  finishBench(
    {
      bench: "edge",
      figures: [
        {
          name: "edge ingest, 1 KB document",
          unit: "requests/s",
          ours: { name: "Worker", samples: oursRates },
          opponent: { name: "bare Worker", samples: rates((round) => round.bare.requestsPerSecond) },
          target: 0.6,
          aim: 0.85,
        },
        {
          name: "edge ingest, bodies of 100 documents",
          unit: "records/s",
          ours: { name: "100 a body", samples: rates((round) => round.hundred.requestsPerSecond * HUNDRED) },
          opponent: { name: "1 a body", samples: oursRates },
          target: 8,
          aim: 20,
        },
      ],
      skipped: [],
      details: [
        `latency at ${CONNECTIONS} connections, ms, median / p99: ours ${latency(rounds.map((round) => round.ours))}, ` +
          `bare ${latency(rounds.map((round) => round.bare))}, 100 documents ${latency(rounds.map((round) => round.hundred))}`,
        `processor time of workerd for one request, ms: ours ${cpu(rounds.map((round) => round.ours))}, ` +
          `bare ${cpu(rounds.map((round) => round.bare))}, 100 documents ${cpu(rounds.map((round) => round.hundred))}`,
        `${SINGLE_REQUESTS} requests a round and side (${HUNDRED_REQUESTS} of 100 documents), queue drained in between by a consumer ` +
          `that acknowledges, the same on both sides; ours wrote ${logLines} log lines`,
      ],
    },
    options,
  );
}

function latency(results: readonly LoadResult[]): string {
  return `${median(results.map((result) => result.medianMs)).toFixed(1)} / ${median(results.map((result) => result.p99Ms)).toFixed(1)}`;
}

function cpu(results: readonly Sent[]): string {
  return median(results.map((result) => result.cpuMs)).toFixed(2);
}

async function queueEmpty(runtime: EdgeRuntime): Promise<void> {
  for (let before = -1, now = await runtime.consumedCount(); now !== before;) {
    before = now;
    await sleep(QUIET_MS);
    now = await runtime.consumedCount();
  }
}
