import { createWriteStream } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import type { CurateReport } from "../../lib/curate/curate-report.ts";
import { renderReport } from "../report/render-report.ts";
import { curateView } from "../report/curate-view.ts";

/** Files of a curation, by what is in them. */
export const RESULT_FILES = {
  dataset: "curated.jsonl",
  quarantined: "quarantined.jsonl",
  verdicts: "verdicts.jsonl",
  report: "report.json",
  page: "report.html",
} as const;

/** Writes a file of JSON lines under its name only when it is whole. */
export async function writeJsonLines(folder: string, name: string, values: Iterable<unknown>): Promise<void> {
  const path = join(folder, name);
  const stream = createWriteStream(`${path}.partial`);
  for (const value of values) {
    if (!stream.write(`${JSON.stringify(value)}\n`)) await once(stream, "drain");
  }
  stream.end();
  await finished(stream);
  await rename(`${path}.partial`, path);
}

/** Writes the report as JSON and as a page. */
export async function writeReportFiles(folder: string, report: CurateReport): Promise<void> {
  await writeFile(join(folder, RESULT_FILES.report), `${JSON.stringify(report, null, 2)}\n`);
  await writeFile(join(folder, RESULT_FILES.page), renderReport(curateView(report)));
}
