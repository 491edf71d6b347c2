import { spawn, type ChildProcess } from "node:child_process";
import { availableParallelism, loadavg } from "node:os";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { bareBatch, startBareSession } from "../src/engine/bare-session.ts";
import type { InferenceSession } from "../src/engine/inference-session.ts";
import { loadModel, plainRequest, type LoadedModel } from "../src/model/loaded-model.ts";
import { modelFolderOf } from "../src/model/model-location.ts";
import { median, percentile, readTexts } from "./read-texts.ts";

/**
 * Tokens a second of the bare sessions and of the server over HTTP on the same texts, in turn, and the time of a single query on an
 * idle and on a saturated server. `node bench/throughput.ts TEXTS [--texts 512] [--rounds 5] [--clients 4] [--request 32]`
 * TEXTS has one text a line, or JSON lines with a `text` field; texts over the model's limit are cut.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    precision: { type: "string", default: "int8" },
    texts: { type: "string", default: "512" },
    rounds: { type: "string", default: "5" },
    clients: { type: "string", default: "4" },
    request: { type: "string", default: "32" },
    batch: { type: "string", default: "768" },
    threads: { type: "string", default: String(availableParallelism()) },
    queries: { type: "string", default: "60" },
  },
});
const path = positionals[0];
if (path === undefined) throw new Error("usage: node bench/throughput.ts TEXTS");
const precision = values.precision === "fp32" ? "fp32" : "int8";
const [threads, batchTokens, clients, perRequest] = [values.threads, values.batch, values.clients, values.request].map(
  Number,
);
const QUERY = "how does the boundary layer behave at hypersonic speed";

type Prepared = { readonly texts: readonly string[]; readonly ids: readonly Int32Array[]; readonly tokens: number };

async function prepare(model: LoadedModel): Promise<Prepared> {
  const texts = readTexts(path ?? "").slice(0, Number(values.texts));
  const limit = model.config.inputTokensMax;
  const ids = await Promise.all(texts.map(async (text) => (await model.tokenizer.encode(text)).slice(0, limit)));
  return { texts, ids, tokens: ids.reduce((sum, list) => sum + list.length, 0) };
}

function lengthSortedBatches(ids: readonly Int32Array[]): readonly (readonly Int32Array[])[] {
  const sorted = [...ids].sort((a, b) => a.length - b.length);
  const batches: Int32Array[][] = [];
  let batch: Int32Array[] = [];
  for (const list of sorted) {
    if (batch.length > 0 && (batch.length + 1) * list.length > (batchTokens ?? 0)) {
      batches.push(batch);
      batch = [];
    }
    batch.push(list);
  }
  return [...batches, batch];
}

async function bareSeconds(
  sessions: readonly InferenceSession[],
  batches: readonly (readonly Int32Array[])[],
): Promise<number> {
  let next = 0;
  const startMs = performance.now();
  await Promise.all(
    sessions.map(async (session) => {
      for (let batch = batches[next++]; batch !== undefined; batch = batches[next++])
        await session.run(bareBatch(batch));
    }),
  );
  return (performance.now() - startMs) / 1000;
}

type Server = { readonly url: string; readonly child: ChildProcess };

async function startServer(): Promise<Server> {
  const env = {
    ...process.env,
    PORT: "0",
    EMBED_PRECISION: precision,
    EMBED_THREADS: String(threads),
    EMBED_BATCH_TOKENS: String(batchTokens),
  };
  const child = spawn(process.execPath, [new URL("../src/main.ts", import.meta.url).pathname], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const event: unknown = JSON.parse(line);
    if (typeof event === "object" && event !== null && "port" in event)
      return { url: `http://127.0.0.1:${String(event.port)}`, child };
    throw new Error(line);
  }
  throw new Error("the server ended");
}

async function post(server: Server, input: string | readonly string[], lane: string): Promise<void> {
  const body = JSON.stringify({ input, encoding_format: "base64", truncate: true });
  const response = await fetch(`${server.url}/v1/embeddings`, {
    method: "POST",
    body,
    headers: { "content-type": "application/json", "x-embed-lane": lane },
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
  await response.json();
}

/** Sends all texts, longest first as an indexing client does, over several connections. */
async function httpSeconds(server: Server, texts: readonly string[]): Promise<number> {
  const requests: string[][] = [];
  for (let start = 0; start < texts.length; start += perRequest ?? 1)
    requests.push(texts.slice(start, start + (perRequest ?? 1)));
  let next = 0;
  const startMs = performance.now();
  const client = async (): Promise<void> => {
    for (let request = requests[next++]; request !== undefined; request = requests[next++])
      await post(server, request, "bulk");
  };
  await Promise.all(Array.from({ length: clients ?? 1 }, client));
  return (performance.now() - startMs) / 1000;
}

async function queryTimes(server: Server, count: number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let index = 0; index < count; index++) {
    const startMs = performance.now();
    await post(server, `${QUERY} ${index}`, "interactive");
    times.push(performance.now() - startMs);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return times;
}

const loaded = await loadModel(
  plainRequest({
    folder: modelFolderOf(process.env),
    modelId: undefined,
    precision,
    environment: process.env,
  }),
);
if (!loaded.ok) throw new Error(loaded.error.detail);
const prepared = await prepare(loaded.value);
const batches = lengthSortedBatches(prepared.ids);
const byLength = prepared.texts
  .map((text, index) => ({ text, tokens: prepared.ids[index]?.length ?? 0 }))
  .sort((a, b) => b.tokens - a.tokens)
  .map(({ text }) => text);
const startSession = (): Promise<InferenceSession> => startBareSession(loaded.value);
const sessions = await Promise.all(Array.from({ length: threads ?? 1 }, startSession));
const server = await startServer();
const bare: number[] = [];
const http: number[] = [];
await bareSeconds(sessions, batches);
await httpSeconds(server, byLength);
for (let round = 0; round < Number(values.rounds); round++) {
  bare.push(prepared.tokens / (await bareSeconds(sessions, batches)));
  http.push(prepared.tokens / (await httpSeconds(server, byLength)));
}
const mean = Math.round(prepared.tokens / prepared.texts.length);
console.log(
  `${precision}, ${threads} threads, ${prepared.texts.length} texts of ${mean} tokens on average, batches of ${batchTokens} tokens, load ${loadavg()[0]?.toFixed(1)}`,
);
console.log(`bare sessions  ${Math.round(median(bare))} tokens/s (best ${Math.round(Math.max(...bare))})`);
console.log(
  `server, HTTP   ${Math.round(median(http))} tokens/s (best ${Math.round(Math.max(...http))}), ${(median(http) / median(bare)).toFixed(3)} of bare (median of ${values.rounds} rounds)`,
);

const idle = await queryTimes(server, Number(values.queries));
const saturation = new AbortController();
const load = (async () => {
  while (!saturation.signal.aborted) await httpSeconds(server, byLength);
})();
const busy = await queryTimes(server, Number(values.queries));
saturation.abort();
await load;
const line = (times: readonly number[]): string =>
  `p50 ${percentile(times, 0.5).toFixed(1)} ms, p95 ${percentile(times, 0.95).toFixed(1)} ms`;
console.log(`query, idle      ${line(idle)}`);
console.log(
  `query, saturated ${line(busy)} (p95 ${(percentile(busy, 0.95) / percentile(idle, 0.95)).toFixed(1)} times idle)`,
);
server.child.kill("SIGTERM");
await Promise.all(sessions.map((session) => session.close()));
