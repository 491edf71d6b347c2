import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { startEmbedder } from "../../src/stack/embedder-process.ts";
import type { BenchReport } from "./figure.ts";
import { HOME_FOLDER } from "./home-folder.ts";
import { printReport } from "./print-figures.ts";

/**
 * Runs a bench that takes one path and an embedding server: the one of `--embedder URL`, or one of its own that ends with it. Prints the report,
 * and writes it to the file of `--report`.
 */
export async function runWithEmbedder(
  usage: string,
  run: (path: string, endpoint: string) => Promise<BenchReport>,
): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { embedder: { type: "string" }, report: { type: "string" } },
  });
  const [path] = positionals;
  if (path === undefined) throw new Error(usage);
  const own =
    values.embedder === undefined
      ? await startEmbedder({
          projectFolder: PROJECT_FOLDER,
          modelFolder: join(HOME_FOLDER, "models", "all-MiniLM-L6-v2"),
          log: () => undefined,
        })
      : undefined;
  try {
    const report = await run(path, values.embedder ?? own?.endpoint ?? "");
    printReport(report);
    if (values.report !== undefined) await writeFile(values.report, JSON.stringify(report));
  } finally {
    await own?.stop();
  }
}
