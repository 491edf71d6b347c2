import { readFile, stat, writeFile } from "node:fs/promises";
import { ingestReportSchema } from "../../lib/contract/batch.ts";
import { type DriftReport, driftReportSchema } from "../../lib/contract/drift.ts";
import { curateReportSchema } from "../../lib/curate/curate-report.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError, usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { curateView } from "../report/curate-view.ts";
import { ingestView } from "../report/ingest-view.ts";
import { renderReport } from "../report/render-report.ts";
import type { ReportView } from "../report/report-view.ts";

/** Bytes of a report that is read: counts by source and rule, some kilobytes in practice. */
const REPORT_BYTES_MAX = 16 * 1024 * 1024;

/** `jeeves report FILE|BATCH`: the page of a report, beside its JSON. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [name, ...more] = args.positionals;
  if (name === undefined || more.length > 0) throw usageError("report takes one report.json or one batch");
  const file = await stat(name).catch(() => undefined);
  if (file !== undefined && file.size > REPORT_BYTES_MAX) throw new CommandError(`${name} is too large for a report`);
  const isFile = file?.isFile() === true;
  if (!isFile && name.endsWith(".json")) throw usageError(`there is no file "${name}"`);
  const value = isFile ? parsedFile(await readFile(name, "utf8"), name) : await fetchReport(name, args);
  const drift = isFile ? undefined : await fetchDrift(name, args);
  const page = renderReport(viewOf(value, name, drift));
  const base = isFile ? name.replace(/\.json$/, "") : `report-${name}`;
  const out = args.text("out") ?? `${base}.html`;
  await writeFile(out, page);
  if (!isFile) await writeFile(out.replace(/\.html?$/, "") + ".json", `${JSON.stringify(value, null, 2)}\n`);
  console.log(args.flag("json") ? JSON.stringify({ page: out, report: value }) : out);
  return EXIT.ok;
}

function parsedFile(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(`${name} is not JSON`);
  }
}

async function fetchReport(batchTag: string, args: CommandArguments): Promise<unknown> {
  const { api } = await requireConnection(args);
  const response = await api.response({ path: `/v1/batches/${encodeURIComponent(batchTag)}/report` });
  return response.json();
}

async function fetchDrift(batchTag: string, args: CommandArguments): Promise<DriftReport> {
  const { api } = await requireConnection(args);
  return api.json(driftReportSchema, { path: `/v1/batches/${encodeURIComponent(batchTag)}/drift` });
}

function viewOf(value: unknown, name: string, drift: DriftReport | undefined): ReportView {
  const curated = curateReportSchema.safeParse(value);
  if (curated.success) return curateView(curated.data);
  const ingested = ingestReportSchema.safeParse(value);
  if (ingested.success) return ingestView(ingested.data, drift);
  throw new CommandError(`${name} is neither a curation report nor an ingest report of this version`);
}
