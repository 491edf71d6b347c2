/**
 * Every bench, one after another, then one table of all figures. `node bench/run-all.ts [--only NAME] [--texts PATH] [--rounds N]`
 * Exits with 1 when a bench broke; a missed target is printed, not an error.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchReportSchema, type BenchReport } from "./support/figure.ts";
import { figureTable } from "./support/print-figures.ts";
import { temporaryFolder } from "./support/store.ts";

interface Bench {
  readonly name: string;
  readonly script: string;
  readonly args: readonly string[];
  /** Whether it takes `--texts` and `--rounds`. */
  readonly takesTexts: boolean;
}

const latency = (name: string, args: readonly string[]): Bench => ({
  name,
  script: "retrieval/search-latency.ts",
  args,
  takesTexts: false,
});

const BENCHES: readonly Bench[] = [
  { name: "edge", script: "edge/main.ts", args: [], takesTexts: true },
  { name: "embedder", script: "embedder/main.ts", args: [], takesTexts: true },
  { name: "end-to-end", script: "end-to-end/main.ts", args: [], takesTexts: true },
  { name: "bridge", script: "bridge/main.ts", args: [], takesTexts: true },
  { name: "segment", script: "segment/main.ts", args: [], takesTexts: true },
  { name: "sessions-pglite", script: "sessions/main.ts", args: ["--database=pglite"], takesTexts: false },
  { name: "sessions-native", script: "sessions/main.ts", args: ["--database=native"], takesTexts: false },
  { name: "llamaindex", script: "llamaindex/main.ts", args: [], takesTexts: true },
  { name: "restore", script: "restore/main.ts", args: ["sotu"], takesTexts: false },
  latency("search-10k-pglite", ["--database=pglite", "--chunks=10000"]),
  latency("search-10k-native", ["--database=native", "--chunks=10000"]),
  latency("search-100k-native", ["--database=native", "--chunks=100000", "--index"]),
];

const { values } = parseArgs({
  options: { only: { type: "string" }, texts: { type: "string" }, rounds: { type: "string" } },
});
const chosen = BENCHES.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) throw new Error(`--only takes one of ${BENCHES.map(({ name }) => name).join(", ")}`);
const folder = await temporaryFolder();
const reports: BenchReport[] = [];
const broken: string[] = [];
for (const bench of chosen) {
  console.log(`\n${bench.name} (load of the machine before: ${loadavg()[0]?.toFixed(1)})`);
  const report = runBench(bench);
  if (report === undefined) broken.push(bench.name);
  else reports.push(report);
}
rmSync(folder, { recursive: true, force: true });

console.log(`\n${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}\n`);
console.log(figureTable(reports.flatMap((report) => report.figures)));
for (const reason of reports.flatMap((report) => report.skipped)) console.log(`skipped: ${reason}`);
for (const name of broken) console.log(`failed: ${name}`);
process.exitCode = broken.length === 0 ? 0 : 1;

function runBench({ name, script, args, takesTexts }: Bench): BenchReport | undefined {
  const reportFile = join(folder, `${name}.json`);
  const shared = [
    ...(values.texts === undefined ? [] : [`--texts=${values.texts}`]),
    ...(values.rounds === undefined ? [] : [`--rounds=${values.rounds}`]),
  ];
  const path = fileURLToPath(new URL(script, import.meta.url));
  // The edge bench strips the types of its small Workers, for which Node still prints a warning.
  const nodeOptions = ["--disable-warning=ExperimentalWarning"];
  const { status } = spawnSync(
    process.execPath,
    [...nodeOptions, path, ...args, ...(takesTexts ? shared : []), `--report=${reportFile}`],
    { stdio: "inherit" },
  );
  if (status !== 0) return undefined;
  return benchReportSchema.parse(JSON.parse(readFileSync(reportFile, "utf8")));
}
