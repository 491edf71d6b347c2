/**
 * Tokens a second of our server over HTTP against what a user would start instead, on the same weights and the same short, mixed and
 * long texts: sentence-transformers, infinity-emb and transformers.js, each with the best of the settings that are tried first. All
 * sides are loaded and idle while one of them runs; they alternate, and each round starts with another one.
 *
 * `node bench/compare.ts FILES_OR_FOLDERS… [--provider cpu|cuda] [--rounds 5] [--tokens 30000] [--trial-tokens 16000]
 * [--only sentence-transformers,infinity,transformers.js] [--python PATH] [--sets short,mixed,long] [--minutes 40] [--report FILE]`
 *
 * With `--provider cuda` the opponent is sentence-transformers on the same device in each of torch's arithmetics; `--python` names an interpreter
 * that has it.
 *
 * The opponents' packages are installed on first use into the project's `.jeeves` folder. Nothing else is fetched.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import type { BenchReport } from "../../bench/support/figure.ts";
import { printReport } from "../../bench/support/print-figures.ts";
import { processTree } from "../../bench/support/process-usage.ts";
import { median } from "../../bench/support/statistics.ts";
import type { Result } from "../src/base/result.ts";
import { PROVIDER_TUNING, type Provider } from "../src/engine/provider.ts";
import { modelFolderOf } from "../src/model/model-location.ts";
import { bestSetting, type Chosen } from "./opponents/best-setting.ts";
import { infinitySide } from "./opponents/infinity.ts";
import { ourSide } from "./opponents/ours.ts";
import { sentenceTransformersSide, type TorchArithmetic } from "./opponents/sentence-transformers.ts";
import type { Side } from "./opponents/side.ts";
import { transformersJsSide } from "./opponents/transformers-js.ts";
import { benchModel } from "./support/bench-model.ts";
import { describeMachine, loadNow } from "./support/machine.ts";
import { readTexts } from "./support/text-files.ts";
import { cutTextSet, partOfSet, SET_NAMES, type SetName, type TextSet } from "./support/text-sets.ts";

/** Vectors of one text from two sides are less alike than this only when they run another model or lose their texts. */
const COSINE_MIN = 0.9;

const TORCH_ARITHMETICS: readonly TorchArithmetic[] = ["fp32", "tf32", "fp16"];

interface Opponent {
  readonly name: string;
  /** Ratio of tokens a second, ours over its: what must be reached and what is aimed at. On a GPU none is set. */
  readonly bounds?: { readonly target: number; readonly aim: number };
  start(modelFolder: string): Promise<Result<Side, string>>;
}

function torchOn(on: Provider, arithmetic: TorchArithmetic): Opponent["start"] {
  return (modelFolder) => sentenceTransformersSide({ modelFolder, provider: on, arithmetic, python: values.python });
}

const OPPONENTS: Readonly<Record<Provider, readonly Opponent[]>> = {
  cpu: [
    { name: "sentence-transformers", bounds: { target: 3.5, aim: 4.2 }, start: torchOn("cpu", "fp32") },
    { name: "infinity", bounds: { target: 1.8, aim: 2.2 }, start: infinitySide },
    {
      name: "transformers.js",
      bounds: { target: 1.3, aim: 2 },
      start: async (modelFolder) => transformersJsSide(modelFolder, (await benchModel("int8")).graphPath),
    },
  ],
  cuda: TORCH_ARITHMETICS.map((arithmetic) => ({
    name: `sentence-transformers in ${arithmetic}`,
    start: torchOn("cuda", arithmetic),
  })),
};

const { positionals: paths, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    tokens: { type: "string", default: "30000" },
    /** Tokens of the texts on which settings are tried. */
    "trial-tokens": { type: "string", default: "16000" },
    minutes: { type: "string", default: "40" },
    provider: { type: "string", default: "cpu" },
    only: { type: "string" },
    python: { type: "string" },
    sets: { type: "string", default: SET_NAMES.join(",") },
    report: { type: "string" },
  },
});
if (paths.length === 0) throw new Error("usage: node bench/compare.ts FILES_OR_FOLDERS…");
const provider = z.enum(["cpu", "cuda"]).parse(values.provider);
const rounds = Math.min(50, Number(values.rounds));
/** No further round starts after this, but each set gets one. */
const endMs = performance.now() + Number(values.minutes) * 60_000;

interface Running extends Opponent {
  readonly side: Side;
}

const folder = mkdtempSync(join(tmpdir(), "embedder-compare-"));
const sides: Side[] = [];
const report: BenchReport = { bench: "embedder-compare", figures: [], skipped: [], details: [] };
try {
  console.log(`${describeMachine(process.env)}; load ${loadNow()}`);
  const opponents = await startOpponents();
  const ours = await ourSide(provider);
  sides.push(ours);
  const { tokenizer } = await benchModel(PROVIDER_TUNING[provider].precision);
  const source = readTexts(paths);
  for (const name of values.sets.split(",").filter(isSetName)) {
    const set = await cutTextSet(name, source, { tokenizer, tokensMin: Number(values.tokens), folder });
    await compareOn(set, ours, opponents);
  }
} finally {
  await Promise.all(sides.map((side) => side.stop()));
  rmSync(folder, { recursive: true, force: true });
}
printReport(report);
if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(report));

function isSetName(name: string): name is SetName {
  return SET_NAMES.some((known) => known === name);
}

async function startOpponents(): Promise<readonly Running[]> {
  const wanted = values.only?.split(",");
  const running: Running[] = [];
  for (const opponent of OPPONENTS[provider].filter(({ name }) => wanted?.includes(name) ?? true)) {
    const started = await opponent.start(modelFolderOf(process.env));
    if (started.ok) {
      sides.push(started.value);
      running.push({ ...opponent, side: started.value });
      console.log(`ready: ${started.value.name}`);
    } else report.skipped.push(`${opponent.name}: ${started.error}`);
  }
  return running;
}

/** Chooses each side's setting on a part of the set, then measures whole passes in turn. */
async function compareOn(set: TextSet, ours: Side, opponents: readonly Running[]): Promise<void> {
  console.log(`\n${set.name}: ${set.texts.length} texts, ${set.tokenCount} tokens (load ${loadNow()})`);
  const part = partOfSet(set, Number(values["trial-tokens"]), folder);
  const chosen: Chosen[] = [];
  for (const side of [ours, ...opponents.map((opponent) => opponent.side)]) {
    const choice = await bestSetting(side, part);
    chosen.push(choice);
    report.details.push(`${set.name}: ${side.name}: ${choice.trials}; measured with ${choice.setting.label}`);
    console.log(`  ${side.name}: ${choice.trials}`);
  }
  const samples = chosen.map((): number[] => []);
  const cpuSeconds = chosen.map((): number[] => []);
  for (let round = 0; round < rounds && (round === 0 || performance.now() < endMs); round += 1) {
    const load = loadNow();
    for (let turn = 0; turn < chosen.length; turn += 1) {
      const index = (round + turn) % chosen.length;
      const choice = chosen[index];
      if (choice === undefined) continue;
      const cpuBefore = cpuSecondsOf(choice.side);
      const { seconds } = await choice.setting.run(set);
      samples[index]?.push(set.tokenCount / seconds);
      cpuSeconds[index]?.push(cpuSecondsOf(choice.side) - cpuBefore);
    }
    const line = samples.map((list, index) => `${chosen[index]?.side.name} ${Math.round(list.at(-1) ?? 0)}`);
    console.log(`  round ${round + 1}, tokens/s: ${line.join(", ")} (load ${load})`);
  }
  const costs = chosen.map(({ side }, index) => {
    const perThousand = (median(cpuSeconds[index] ?? []) / set.tokenCount) * 1e6;
    return `${side.name} ${perThousand.toFixed(0)} ms`;
  });
  report.details.push(`${set.name}: processor time for 1,000 tokens: ${costs.join(", ")}`);
  opponents.forEach((opponent, index) => {
    checkSameModel(set.name, chosen[0], chosen[index + 1]);
    report.figures.push({
      name: `${set.name} texts against ${opponent.name}`,
      unit: "tokens/s",
      ours: { name: ours.name, samples: samples[0] ?? [] },
      opponent: { name: opponent.name, samples: samples[index + 1] ?? [] },
      ...opponent.bounds,
    });
  });
}

/** User and system time of a side's processes so far. */
function cpuSecondsOf(side: Side): number {
  return side.pids.flatMap((pid) => processTree(pid)).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

function checkSameModel(setName: string, ours: Chosen | undefined, theirs: Chosen | undefined): void {
  if (ours === undefined || theirs === undefined) return;
  const cosine = ours.firstVector.reduce((sum, value, index) => sum + value * (theirs.firstVector[index] ?? 0), 0);
  if (!(cosine > COSINE_MIN)) throw new Error(`${theirs.side.name} gives other vectors: cosine ${cosine.toFixed(4)}`);
  report.details.push(`${setName}: ${theirs.side.name}: cosine of its first vector to ours ${cosine.toFixed(5)}`);
}
