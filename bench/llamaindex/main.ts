/**
 * The whole system over HTTP against what a user would start instead: LlamaIndex's IngestionPipeline with sentence-transformers and
 * PGVectorStore, on the same texts, into a native PostgreSQL 18 with pgvector each.
 * `node bench/llamaindex/main.ts [--texts PATH] [--documents N] [--rounds N]`
 */
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startNativeServer } from "../../src/stack/postgres/native-server.ts";
import { startBenchStack, type BenchStack } from "../end-to-end/bench-stack.ts";
import { ingestTexts } from "../end-to-end/ingest-texts.ts";
import { finishBench, readBenchArguments } from "../support/bench-arguments.ts";
import type { BenchReport } from "../support/figure.ts";
import { HOME_FOLDER } from "../support/home-folder.ts";
import { startLineProcess, type LineProcess } from "../support/line-process.ts";
import { peakMemoryMib } from "../support/process-usage.ts";
import { pythonEnvironment } from "../support/python-environment.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { temporaryFolder } from "../support/store.ts";

const OPPONENT = "LlamaIndex";
/** Texts of one call of sentence-transformers: LlamaIndex's default, and the fastest of 10, 32 and 64 on 2 cores. */
const EMBED_BATCH_SIZE = 10;

const doneSchema = z.object({ chunks: z.int(), seconds: z.number() });

const options = readBenchArguments({ rounds: 3, documents: 17 });
finishBench(await measured(), options);

async function measured(): Promise<BenchReport> {
  const skip = (reason: string): BenchReport => ({
    bench: "llamaindex",
    figures: [],
    skipped: [`comparison with ${OPPONENT}: ${reason}`],
    details: [],
  });
  const requirementsPath = fileURLToPath(new URL("requirements.txt", import.meta.url));
  const python = await pythonEnvironment({ name: "llamaindex", requirementsPath });
  if (!python.ok) return skip(python.error);
  const server = await startNativeServer(join(HOME_FOLDER, "cache"));
  if (!server.ok) return skip(server.error);
  const folder = await temporaryFolder();
  let stack: BenchStack | string | undefined;
  let opponent: LineProcess | undefined;
  try {
    const texts = await readBenchTexts(options.textsPath, options.documentsMax);
    const file = join(folder, "texts.jsonl");
    await writeFile(file, texts.map((text) => `${JSON.stringify(text)}\n`).join(""));
    // The stack comes first: it also provides the weights that both sides load.
    stack = await startBenchStack("native");
    if (typeof stack === "string") return skip(stack);
    opponent = await startLineProcess(python.value, [
      new URL("ingest.py", import.meta.url).pathname,
      `--texts=${file}`,
      `--model=${join(HOME_FOLDER, "models", "all-MiniLM-L6-v2")}`,
      `--database=${server.value.connectionString()}`,
      `--embed-batch-size=${EMBED_BATCH_SIZE}`,
    ]);
    return await alternate(stack, opponent, texts);
  } finally {
    await opponent?.stop();
    if (typeof stack === "object") await stack.stop();
    await server.value.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function alternate(
  stack: BenchStack,
  opponent: LineProcess,
  texts: Awaited<ReturnType<typeof readBenchTexts>>,
): Promise<BenchReport> {
  const ours = { chunks: [] as number[], tokens: [] as number[] };
  const theirs = { chunks: [] as number[], tokens: [] as number[] };
  let counts = "";
  await ingestTexts({ url: stack.url, key: await stack.keyOf("bench-first") }, texts.slice(0, 1), "bench-first");
  for (let round = 1; round <= options.rounds; round += 1) {
    const tenantId = `bench-${round}`;
    const result = await ingestTexts({ url: stack.url, key: await stack.keyOf(tenantId) }, texts, tenantId);
    ours.chunks.push(result.chunkCount / result.seconds);
    ours.tokens.push(result.tokenCount / result.seconds);
    const done = doneSchema.parse(await opponent.ask(`round_${round}`));
    theirs.chunks.push(done.chunks / done.seconds);
    // The texts' own tokens for both sides, by the model's tokenizer: neither repeats any between chunks.
    theirs.tokens.push(result.tokenCount / done.seconds);
    counts = `${texts.length} texts, ${result.tokenCount} tokens; chunks: ours ${result.chunkCount}, ${OPPONENT} ${done.chunks}`;
    console.log(
      `round ${round}: ours ${ours.chunks.at(-1)?.toFixed(1)} chunks/s, ${OPPONENT} ${theirs.chunks.at(-1)?.toFixed(1)} chunks/s`,
    );
  }
  const figure = (name: string, unit: string, samples: readonly number[], other: readonly number[]) => ({
    name,
    unit,
    ours: { name: "Jeeves", samples: [...samples] },
    opponent: { name: OPPONENT, samples: [...other] },
    target: 2.2,
    aim: 2.8,
  });
  return {
    bench: "llamaindex",
    figures: [
      figure("texts to searchable, PostgreSQL 18", "chunks/s", ours.chunks, theirs.chunks),
      figure("the same", "tokens/s", ours.tokens, theirs.tokens),
    ],
    skipped: [],
    details: [
      counts,
      `${OPPONENT}: one process without HTTP, peak memory ${peakMemoryMib(opponent.pid)?.toFixed(0) ?? "?"} MiB`,
    ],
  };
}
