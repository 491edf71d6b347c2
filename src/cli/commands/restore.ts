import { z } from "zod";
import type { ApiClient } from "../api-client.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError, usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { askForRun } from "../job/ask-for-run.ts";
import { style } from "../terminal/style.ts";

/** Runs of a minute: a day and a night. */
const ROUNDS_MAX = 2_000;

const reportSchema = z.object({
  code: z.string().nullable().default(null),
  backup_id: z.string().default(""),
  tenants_total: z.int().default(0),
  tenant_count: z.int().default(0),
  document_count: z.int().default(0),
  chunk_count: z.int().default(0),
  row_count: z.int().default(0),
  missing_document_count: z.int().default(0),
  damaged_count: z.int().default(0),
  damaged: z.array(z.object({ key: z.string(), code: z.string(), block: z.int().optional() })).default([]),
  refused_tenants: z.array(z.string()).default([]),
  elapsed_seconds: z.number().default(0),
});
type Report = z.infer<typeof reportSchema>;

const REFUSALS: Readonly<Record<string, string>> = {
  backup_missing:
    "there is no whole backup of that time in the bucket (is the bucket itself lost? `jeeves job run sync_back` first)",
  models_conflict:
    "a model of the database has a number that the backup has for another one: restore into an empty migrated database",
  schema_older_than_backup: "the database is older than the backup: `jeeves migrate` first",
  store_variant_differs: "the backup is of the other kind of store (pgvector, or jsonb)",
  tenant_not_empty: "the database holds something of these tenants already, and nothing was written",
};

/** `jeeves restore [--at UTC|latest] [--dry-run]`: runs the job until it is done, then the sweeper, which brings what came after the backup. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  if (args.positionals.length > 0) throw usageError("restore takes no operand: --at names the moment");
  const at = args.text("at") ?? "latest";
  if (at !== "latest" && Number.isNaN(Date.parse(at)))
    throw usageError(`--at takes a time like 2026-11-25T02:00:00Z, or latest, not "${at}"`);
  const { api, url } = await requireConnection(args);
  const isDryRun = args.flag("dry-run");
  const isJson = args.flag("json");
  if (!isJson) console.error(`Restoring ${at === "latest" ? "the latest backup" : `the backup of ${at}`} into ${url}`);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const ended = await askForRun(api, "restore", { isDryRun, parameters: { at } });
    const report = reportSchema.parse(ended.report);
    if (ended.state === "partial") {
      if (!isJson) console.error(style.dim(`  ${progressText(report)}`));
      continue;
    }
    const hasEnded = ended.state === "done" || ended.error_code === "items_failed";
    if (report.code !== null || !hasEnded) throw new CommandError(refusalText(report, ended.error_code));
    if (isJson) console.log(JSON.stringify(ended));
    else
      console.log(
        isDryRun ? `${report.backup_id}: ${report.tenants_total} tenants would be restored` : endText(report),
      );
    if (isDryRun) return EXIT.ok;
    await sweep(api, isJson);
    return ended.state === "done" ? EXIT.ok : EXIT.failed;
  }
  throw new CommandError("the restore does not end: the same command goes on");
}

function refusalText({ code, refused_tenants: tenants }: Report, errorCode: string | null): string {
  const why = REFUSALS[code ?? ""] ?? "the same command goes on where it stopped";
  return [`${code ?? errorCode ?? "died"}: ${why}`, ...tenants.map((tenant) => `  ${tenant}`)].join("\n");
}

function progressText(report: Report): string {
  const { tenant_count: tenants, tenants_total: total, document_count: documents, chunk_count: chunks } = report;
  return `${tenants}/${total} tenants  ${documents} documents  ${chunks} chunks  ${report.row_count} rows  ${report.elapsed_seconds.toFixed(0)} s`;
}

function endText(report: Report): string {
  const damaged = report.damaged.map(
    ({ key, code, block }) => `  ${style.red(code)}  ${key}${block === undefined ? "" : `, block ${block}`}`,
  );
  const missing = report.missing_document_count;
  return [
    `${style.bold(report.backup_id)}  ${progressText(report)}`,
    ...(report.damaged_count === 0
      ? []
      : [`${report.damaged_count} objects could not be read, or not whole:`, ...damaged]),
    ...(missing === 0 ? [] : [style.red(`${missing} documents of the backup are missing`)]),
    `RTO: ${report.elapsed_seconds.toFixed(1)} s from the first run to the last row`,
  ].join("\n");
}

/** What came after the backup is in the WAL: the sweeper sends it, the consumer applies it as ever. */
async function sweep(api: ApiClient, isJson: boolean): Promise<void> {
  const swept = await askForRun(api, "sweep", { isDryRun: false });
  const { sentCount } = z.object({ sentCount: z.int().default(0) }).parse(swept.report);
  if (!isJson) console.log(`sweep: ${sentCount} ranges that came after the backup were sent to the queue`);
}
