/**
 * Load on the whole running stack through its public API: a bulk of chunks, levels of open-loop arrivals up to the one that bends, ten times what it bears,
 * and the way back. Writes `load.json` and `load.html`.
 * `node bench/load/main.ts [--chunks N] [--database pglite|native|postgresql://…] [--level-seconds N] [--overload-seconds N] [--recovery-seconds N] [--seed N] [--texts PATH] [--out FOLDER]`
 */
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { readAddresses } from "../../src/cli/demo/corpus.ts";
import { startBenchStack } from "../end-to-end/bench-stack.ts";
import { printReport } from "../support/print-figures.ts";
import { readBenchTexts } from "../support/read-texts.ts";
import { readLoadOptions } from "./load-options.ts";
import type { LoadReport } from "./load-report.ts";
import { LoadRun } from "./load-run.ts";
import { renderLoadReport } from "./render-load-report.ts";
import { nowMs } from "./send-document.ts";
import { summaryOf } from "./summary.ts";
import { watchStack } from "./watch-stack.ts";

/** Every text of a given set. */
const TEXTS_MAX = 1_000_000;

const options = readLoadOptions();
const texts =
  options.textsPath === undefined ? await readAddresses(true) : await readBenchTexts(options.textsPath, TEXTS_MAX);
const [loadBefore = 0] = loadavg();
const stack = await startBenchStack(options.database, { INGEST_BACKLOG_MAX: String(options.backlogMax) });
if (typeof stack === "string") throw new Error(stack);
try {
  const runAtMs = nowMs();
  const run = new LoadRun({ stack, texts, options, runAtMs, log: (line) => console.log(line) });
  const watch = watchStack(stack, await stack.keyOf("load-watch"));
  const measured = await run.measure();
  const samples = await watch.end();
  const second = (atMs: number): number => Math.round((atMs - runAtMs) / 100) / 10;
  const processes = Map.groupBy(
    samples.flatMap(({ atMs, processes: all }) => all.map((one) => ({ ...one, atMs }))),
    ({ part, pid }) => `${part} ${pid}`,
  );
  const [cpu] = cpus();
  const report: LoadReport = {
    startedAt: new Date(runAtMs).toISOString(),
    machine: {
      processor: cpu?.model.trim() ?? "unknown",
      cores: cpus().length,
      memoryGib: Math.round(totalmem() / 2 ** 30),
      node: process.versions.node,
      loadBefore,
      loadAfter: loadavg()[0] ?? 0,
    },
    options: {
      // A URL holds a password.
      database: options.database.includes("://") ? "given" : options.database,
      seed: options.seed,
      chunks: options.chunks,
      charactersMin: options.charactersMin,
      backlogMax: options.backlogMax,
      searchableBoundMs: options.searchableBoundMs,
      overloadFactor: options.overloadFactor,
    },
    ...measured,
    memory: [...processes.values()].flatMap((all) => {
      const [first] = all;
      return first === undefined
        ? []
        : [
            {
              part: first.part,
              pid: first.pid,
              samples: all.map(({ atMs, residentMib }): [number, number] => [second(atMs), Math.round(residentMib)]),
            },
          ];
    }),
    queue: samples.map(({ atMs, queueMessages, queueOldestSeconds, walBacklogObjects }) => ({
      second: second(atMs),
      messages: queueMessages,
      oldestSeconds: queueOldestSeconds,
      walBacklogObjects,
    })),
  };
  await mkdir(options.outFolder, { recursive: true });
  await writeFile(join(options.outFolder, "load.json"), JSON.stringify(report));
  await writeFile(join(options.outFolder, "load.html"), renderLoadReport(report));
  printReport(summaryOf(report));
  console.log(`  ${join(options.outFolder, "load.html")}, load.json`);
  if (!isSound(report)) process.exitCode = 1;
} finally {
  await stack.stop();
}

/** What must hold on any machine: nothing accepted is lost, refusals say when to come again, and the store agrees with its receipts. */
function isSound({ phases }: LoadReport): boolean {
  return phases.every(
    ({ lost, requests, verified }) =>
      lost === 0 && requests.refusedWithoutRetryAfter === 0 && requests.other === 0 && verified.held === verified.asked,
  );
}
