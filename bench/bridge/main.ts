/**
 * Entries of a Redis Stream through the bridge into the production Worker, until each is acknowledged.
 * `node bench/bridge/main.ts [--texts PATH] [--rounds N] [--documents ENTRIES]`. Needs redis-server (Debian package redis-server).
 */
import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { bundleWorker } from "../../src/stack/bundle-worker.ts";
import { startBridge } from "../../test/bridge/support/bridge-process.ts";
import { openProducer, type Producer } from "../../test/bridge/support/producer.ts";
import { startRedis } from "../../test/bridge/support/redis-server.ts";
import { documentBodies } from "../edge/document-bodies.ts";
import { startEdgeRuntime } from "../edge/edge-runtime.ts";
import { finishBench, readBenchArguments } from "../support/bench-arguments.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { createBenchKey, openBenchStore, temporaryFolder } from "../support/store.ts";

const DOCUMENT_BYTES = 1024;
const TEXTS_MAX = 62;
const POLL_EVERY_MS = 20;
const options = readBenchArguments({ rounds: 5, documents: 10_000 });
const texts = await readBenchTexts(options.textsPath, TEXTS_MAX);
const [body] = documentBodies(texts, {
  bodyCount: 1,
  documentsPerBody: options.documentsMax,
  documentBytes: DOCUMENT_BYTES,
});
const { documents } = z.object({ documents: z.array(z.unknown()) }).parse(JSON.parse(String(body)));
const messages = documents.map((document) => JSON.stringify(document));

const buildFolder = await temporaryFolder();
const store = await openBenchStore("pglite:memory");
const redis = await startRedis();
await bundleWorker(PROJECT_FOLDER, buildFolder);
const bindings = {
  DATABASE_URL: store.appUrl,
  EMBED_ENDPOINT: "http://127.0.0.1:9",
  ...(store.fetchEndpoint === undefined ? {} : { SQL_FETCH_ENDPOINT: store.fetchEndpoint }),
};
const edge = await startEdgeRuntime({ kind: "ours", buildFolder, bindings }, () => undefined);
const producer = await openProducer(redis.url);
try {
  const key = await createBenchKey(store.ownerSql, "bench-bridge");
  const rates: Record<"batched" | "single", number[]> = { batched: [], single: [] };
  for (let round = 0; round <= options.rounds; round += 1) {
    const batched = await entriesPerSecond(`batched-${round}`, messages, key, []);
    const single = await entriesPerSecond(`single-${round}`, messages.slice(0, 1_000), key, [
      "--request-documents",
      "1",
    ]);
    console.log(`round ${round}: ${batched.toFixed(0)} entries/s, ${single.toFixed(0)} with one entry a request`);
    // The first round warms up.
    if (round === 0) continue;
    rates.batched.push(batched);
    rates.single.push(single);
  }
  const one = { name: "1 a request", samples: rates.single };
  const figure = { name: "bridge, entries of 1 KB", unit: "entries/s", opponent: one };
  finishBench(
    {
      bench: "bridge",
      figures: [{ ...figure, ours: { name: "100 a request", samples: rates.batched } }],
      skipped: [],
      details: [
        "one bridge, 4 requests in flight; Redis with appendfsync always; the queue's messages are only acknowledged",
      ],
    },
    options,
  );
} finally {
  producer.destroy();
  await edge.stop();
  await Promise.all([redis.stop(), store.close(), rm(buildFolder, { recursive: true, force: true })]);
}

/** From the first read of a bridge that is connected to the last acknowledgement. */
async function entriesPerSecond(
  stream: string,
  entries: readonly string[],
  key: string,
  args: readonly string[],
): Promise<number> {
  const bridge = await startBridge({ redisUrl: redis.url, apiUrl: edge.url, key, args: ["--stream", stream, ...args] });
  const startedAtMs = performance.now();
  for (let at = 0; at < entries.length; at += 1_000) {
    const transaction = producer.multi();
    for (const message of entries.slice(at, at + 1_000)) transaction.xAdd(stream, "*", { message });
    await transaction.exec();
  }
  while (!(await isDone(producer, stream, entries.length))) await sleep(POLL_EVERY_MS);
  const seconds = (performance.now() - startedAtMs) / 1000;
  await bridge.end();
  return entries.length / seconds;
}

async function isDone(client: Producer, stream: string, entryCount: number): Promise<boolean> {
  const [group] = await client.xInfoGroups(stream).catch(() => []);
  return group !== undefined && group.pending === 0 && group["entries-read"] === entryCount;
}
