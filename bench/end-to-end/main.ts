/**
 * From the first HTTP request until every chunk can be searched, against the model alone on the same chunks.
 * `node bench/end-to-end/main.ts [--texts PATH] [--documents N] [--rounds N]`
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { availableParallelism } from "node:os";
import { z } from "zod";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { finishBench, readBenchArguments } from "../support/bench-arguments.ts";
import type { Figure } from "../support/figure.ts";
import { HOME_FOLDER } from "../support/home-folder.ts";
import { startLineProcess, type LineProcess } from "../support/line-process.ts";
import { processTree } from "../support/process-usage.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { median } from "../support/statistics.ts";
import { temporaryFolder } from "../support/store.ts";
import { startBenchStack, type BenchStack, type DatabaseKind } from "./bench-stack.ts";
import { ingestTexts, type IngestResult } from "./ingest-texts.ts";
import {
  cpuSecondsBetween,
  cpuSecondsByPart,
  peakMemoryByPart,
  STACK_PARTS,
  type PartCpuSeconds,
} from "./part-usage.ts";

/** Padded tokens of a batch of the raw model: the server's own default, the fastest measured. */
const BATCH_TOKENS = 768;

const NAMES: Readonly<Record<DatabaseKind, string>> = { pglite: "PGlite", native: "PostgreSQL 18" };

interface Round extends IngestResult {
  readonly cpu: PartCpuSeconds;
}

interface Side {
  readonly kind: DatabaseKind;
  readonly stack: BenchStack;
  readonly rounds: Round[];
}

const readySchema = z.object({ chunkCount: z.int(), tokenCount: z.int() });
const doneSchema = z.object({ seconds: z.number() });

const options = readBenchArguments({ rounds: 3, documents: 62 });
const texts = await readBenchTexts(options.textsPath, options.documentsMax);
const folder = await temporaryFolder();
const skipped: string[] = [];
const sides: Side[] = [];
let raw: LineProcess | undefined;
try {
  for (const kind of ["pglite", "native"] as const) {
    const stack = await startBenchStack(kind);
    if (typeof stack === "string") skipped.push(`${NAMES[kind]}: ${stack}`);
    else sides.push({ kind, stack, rounds: [] });
  }
  raw = await startRawModel();
  await measure(raw);
} finally {
  await raw?.stop();
  for (const side of sides) await side.stack.stop();
  await rm(folder, { recursive: true, force: true });
}

/** A first ingest warms every side up and gives the raw model the very chunks that the system made. */
async function startRawModel(): Promise<LineProcess> {
  const file = join(folder, "chunks.jsonl");
  for (const { stack } of sides) {
    await ingestTexts({ url: stack.url, key: await stack.keyOf("bench-first") }, texts, "bench-first");
    await stack.writeChunks("bench-first", file);
  }
  const threads = availableParallelism();
  return startLineProcess(process.execPath, [
    join(PROJECT_FOLDER, "gpu-embedder", "bench", "raw-model.ts"),
    `--chunks=${file}`,
    `--model=${join(HOME_FOLDER, "models", "all-MiniLM-L6-v2")}`,
    `--sessions=${threads}`,
    "--threads=1",
    `--batch-tokens=${BATCH_TOKENS}`,
  ]);
}

async function measure(rawModel: LineProcess): Promise<void> {
  const { chunkCount } = readySchema.parse(rawModel.ready);
  const rawRates: number[] = [];
  const rawCpuSeconds: number[] = [];
  for (let round = 1; round <= options.rounds; round += 1) {
    const cpuSecondsBefore = cpuSecondsOf(rawModel.pid);
    rawRates.push(chunkCount / doneSchema.parse(await rawModel.ask("run")).seconds);
    rawCpuSeconds.push(cpuSecondsOf(rawModel.pid) - cpuSecondsBefore);
    for (const side of sides) side.rounds.push(await ingestOnce(side.stack, `bench-${round}`));
    const rates = sides.map(({ kind, rounds }) => `${NAMES[kind]} ${rateOf(rounds.at(-1)).toFixed(1)}`);
    console.log(`round ${round}: raw model ${rawRates.at(-1)?.toFixed(1)}, ${rates.join(", ")} chunks/s`);
  }
  const figures = sides.map(({ kind, rounds }): Figure => ({
    name: `HTTP to searchable, ${NAMES[kind]}`,
    unit: "chunks/s",
    ours: { name: NAMES[kind], samples: rounds.map(rateOf) },
    opponent: { name: "raw model", samples: rawRates },
    target: 0.7,
    aim: 0.9,
  }));
  finishBench(
    {
      bench: "end-to-end",
      figures: [...figures, ...sides.map(memoryFigure)],
      skipped,
      details: [
        `${texts.length} texts, ${chunkCount} chunks, ${sides[0]?.rounds[0]?.tokenCount ?? 0} tokens; int8, ${availableParallelism()} threads`,
        `raw model: processor seconds: ${median(rawCpuSeconds).toFixed(1)}`,
        ...sides.map(cpuLine),
        ...sides.map(memoryLine),
      ],
    },
    options,
  );
}

async function ingestOnce(stack: BenchStack, tenantId: string): Promise<Round> {
  const key = await stack.keyOf(tenantId);
  const before = cpuSecondsByPart(stack.pids);
  const result = await ingestTexts({ url: stack.url, key }, texts, tenantId);
  return { ...result, cpu: cpuSecondsBetween(before, cpuSecondsByPart(stack.pids)) };
}

function cpuSecondsOf(pid: number): number {
  return processTree(pid).reduce((sum, facts) => sum + facts.cpuSeconds, 0);
}

function rateOf(round: IngestResult | undefined): number {
  return round === undefined ? Number.NaN : round.chunkCount / round.seconds;
}

function memoryFigure({ kind, stack }: Side): Figure {
  const peak = peakMemoryByPart(stack.pids).workerd;
  return {
    name: `consumer peak memory, ${NAMES[kind]}`,
    unit: "MiB (workerd)",
    ours: { name: "workerd", samples: [peak] },
    isCost: true,
  };
}

function cpuLine({ kind, rounds }: Side): string {
  const seconds = median(rounds.map((round) => round.seconds));
  const parts = STACK_PARTS.map((part) => `${part} ${median(rounds.map((round) => round.cpu[part])).toFixed(1)}`);
  const all = median(rounds.map((round) => STACK_PARTS.reduce((sum, part) => sum + round.cpu[part], 0)));
  const share = (all / (seconds * availableParallelism())) * 100;
  return `${NAMES[kind]}: ${seconds.toFixed(1)} s, processor seconds: ${parts.join(", ")}; ${share.toFixed(0)} % of all cores`;
}

function memoryLine({ kind, stack }: Side): string {
  const peaks = peakMemoryByPart(stack.pids);
  return `${NAMES[kind]}: peak resident memory, MiB: ${STACK_PARTS.map((part) => `${part} ${peaks[part].toFixed(0)}`).join(", ")}`;
}
