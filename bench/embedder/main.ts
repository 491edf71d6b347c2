/**
 * The embedding server's own figures on the texts of the other benches: its cost beside the bare model, and its opponents.
 * `node bench/embedder/main.ts [--texts PATH] [--documents N] [--rounds N]`
 */
import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { finishBench, readBenchArguments } from "../support/bench-arguments.ts";
import { benchReportSchema, type BenchReport } from "../support/figure.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { temporaryFolder } from "../support/store.ts";

const SCRIPTS = ["throughput", "compare"] as const;
/** Whichever of its steps hangs; a whole run takes a quarter of an hour on 2 cores. */
const SCRIPT_TIMEOUT_MS = HOUR_MS;

const options = readBenchArguments({ rounds: 5, documents: 62 });
const folder = await temporaryFolder();
try {
  const file = join(folder, "texts.jsonl");
  const texts = await readBenchTexts(options.textsPath, options.documentsMax);
  writeFileSync(file, texts.map(({ text }) => `${JSON.stringify({ text })}\n`).join(""));
  const reports = SCRIPTS.map((script) => measured(script, file));
  finishBench(
    {
      bench: "embedder",
      figures: reports.flatMap(({ figures }) => figures),
      skipped: reports.flatMap(({ skipped }) => skipped),
      details: reports.flatMap(({ details }) => details),
    },
    options,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function measured(script: (typeof SCRIPTS)[number], textsFile: string): BenchReport {
  const reportFile = join(folder, `${script}.json`);
  const path = join(PROJECT_FOLDER, "gpu-embedder", "bench", `${script}.ts`);
  const args = [textsFile, `--rounds=${options.rounds}`, `--report=${reportFile}`];
  const { status } = spawnSync(process.execPath, [path, ...args], { stdio: "inherit", timeout: SCRIPT_TIMEOUT_MS });
  if (status !== 0) throw new Error(`gpu-embedder/bench/${script}.ts failed`);
  return benchReportSchema.parse(JSON.parse(readFileSync(reportFile, "utf8")));
}
