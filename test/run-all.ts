/** Runs every suite and counts what really ran. The last line is `N passed, N failed` (`, N skipped` where something was). */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FailedTest, failedTests } from "./support/failed-tests.ts";

const projectFolder = join(dirname(fileURLToPath(import.meta.url)), "..");
const resultFolder = mkdtempSync(join(tmpdir(), "jeeves-test-"));

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
  readonly failures: readonly FailedTest[];
}

interface Suite {
  readonly name: string;
  readonly folder: string;
  readonly args: readonly string[];
}

const SUITES: readonly Suite[] = [
  { name: "unit", folder: ".", args: ["--project", "unit"] },
  { name: "embedder", folder: "gpu-embedder", args: [] },
  { name: "database", folder: ".", args: ["--project", "db"] },
  { name: "workerd", folder: ".", args: ["--project", "workerd"] },
  { name: "isolation", folder: ".", args: ["--project", "isolation"] },
  { name: "flow", folder: ".", args: ["--project", "flow"] },
  { name: "bridge", folder: ".", args: ["--project", "bridge"] },
  { name: "dashboard", folder: ".", args: ["--project", "dashboard"] },
  { name: "observability", folder: ".", args: ["--project", "observability"] },
  { name: "chaos", folder: ".", args: ["--project", "chaos"] },
  { name: "end to end", folder: ".", args: ["--project", "e2e"] },
];

function runSuite(suite: Suite): Counts {
  const resultFile = join(resultFolder, `${suite.name.replaceAll(" ", "-")}.json`);
  const folder = join(projectFolder, suite.folder);
  const vitest = join(folder, "node_modules", "vitest", "vitest.mjs");
  const startedAtMs = performance.now();
  const { status } = spawnSync(
    process.execPath,
    [vitest, "run", ...suite.args, "--reporter=default", "--reporter=json", `--outputFile.json=${resultFile}`],
    { cwd: folder, stdio: ["ignore", "inherit", "inherit"] },
  );
  const counts = readCounts(resultFile);
  // A suite that ends badly without a failed test (a crash, an unhandled rejection, no test at all) has failed.
  if (status !== 0 && counts.failed === 0) counts.failed = 1;
  if (counts.passed + counts.failed === 0) counts.failed = 1;
  const seconds = ((performance.now() - startedAtMs) / 1000).toFixed(0);
  console.log(
    `suite ${suite.name}: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped in ${seconds} s\n`,
  );
  return counts;
}

function readCounts(resultFile: string): Counts {
  try {
    const result: unknown = JSON.parse(readFileSync(resultFile, "utf8"));
    const count = (name: string): number => {
      const value: unknown = typeof result === "object" && result !== null ? Reflect.get(result, name) : 0;
      return typeof value === "number" ? value : 0;
    };
    return {
      passed: count("numPassedTests"),
      failed: count("numFailedTests"),
      skipped: count("numPendingTests") + count("numTodoTests"),
      failures: failedTests(result),
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0, failures: [] };
  }
}

/** The end of a long log is what a reader sees first: every suite's counts and every failure once more. */
function printSummary(results: readonly (readonly [Suite, Counts])[]): void {
  for (const [suite, counts] of results) {
    console.log(`${suite.name}: ${counts.passed} passed, ${counts.failed} failed`);
    for (const failure of counts.failures) console.log(`  ${failure.file}: ${failure.name}\n    ${failure.message}`);
  }
}

const results = SUITES.map((suite) => [suite, runSuite(suite)] as const);
rmSync(resultFolder, { recursive: true, force: true });
printSummary(results);
const total = (name: "passed" | "failed" | "skipped"): number =>
  results.reduce((sum, [, counts]) => sum + counts[name], 0);
const skipped = total("skipped");
console.log(`${total("passed")} passed, ${total("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = total("failed") === 0 ? 0 : 1;
