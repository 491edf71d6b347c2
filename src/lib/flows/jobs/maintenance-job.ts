import { z } from "zod";
import { MINUTE_MS } from "../../base/durations.ts";
import { SELECT_TABLES, tableRowSchema, vacuumTable, type TableRow } from "../../db/queries/maintenance.ts";
import type { Sql } from "../../db/sql.ts";
import { adviseIndexes, type IndexAdvice } from "./advise-indexes.ts";
import type { Job, JobContext, JobRun } from "./job.ts";

interface MaintenanceContext extends JobContext {
  /** Each database by the name of its shard. */
  readonly databases: ReadonlyMap<string, Sql>;
}

interface DatabaseReport extends IndexAdvice {
  readonly database: string;
  readonly vacuumed: readonly string[];
  /** Tables that this role may not vacuum, of which more than a fifth is dead rows. */
  readonly neglected: readonly { readonly table: string; readonly deadRows: number; readonly liveRows: number }[];
  /** Tables that this role may not vacuum: the server's autovacuum does, or their owner. */
  readonly notAllowedCount: number;
  readonly failed: readonly string[];
}

/** One table, milliseconds. The run's lease is prolonged before each, and budget and this stay below an invocation's 15 minutes. */
const VACUUM_TIMEOUT_MS = 5 * MINUTE_MS;
/** From so many dead rows, and so large a share of them, a table is called neglected: autovacuum's own share is a fifth. */
const DEAD_ROWS_MIN = 10_000;
const DEAD_SHARE_MIN = 0.2;

const cursorSchema = z.object({ database: z.string().default(""), after_table: z.string().default("") });

/**
 * VACUUM ANALYZE of every table that the role of the Workers may vacuum, in each database; and, because that role owns nothing, what the owner
 * should do: indexes that large partitions lack or that are broken (`jeeves build-index`), tables that nobody vacuums.
 */
export const MAINTENANCE_JOB: Job<MaintenanceContext, { readonly databases: readonly DatabaseReport[] }> = {
  name: "maintenance",
  summary: "vacuums and analyses tables where the role may; names search indexes that are missing or broken",
  cron: "30 3 * * *",
  timeMsMax: 8 * MINUTE_MS,
  async run({ databases }, run) {
    const { database, after_table: afterTable } = cursorSchema.parse(run.cursor);
    const reports: DatabaseReport[] = [];
    for (const [name, sql] of [...databases].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (name < database) continue;
      const afterName = name === database ? afterTable : "";
      const { report, stoppedAfter } = await maintain({ name, sql }, { afterName, run });
      reports.push(report);
      if (stoppedAfter === undefined) continue;
      const cursor = { database: name, after_table: stoppedAfter };
      return { report: { databases: reports }, outcome: "partial", cursor };
    }
    const hasFailed = reports.some((report) => report.failed.length > 0);
    return { report: { databases: reports }, outcome: hasFailed ? "failed" : "done", cursor: {} };
  },
};

async function maintain(
  { name, sql }: { readonly name: string; readonly sql: Sql },
  { afterName, run }: { readonly afterName: string; readonly run: JobRun },
): Promise<{ readonly report: DatabaseReport; readonly stoppedAfter?: string }> {
  const advice = await adviseIndexes(sql);
  const rows = await sql.query(SELECT_TABLES);
  const tables = rows.ok ? rows.value.map((row) => tableRowSchema.parse(row)) : [];
  const vacuumed: string[] = [];
  const failed: string[] = rows.ok && advice.ok ? [] : ["catalogue"];
  const report = (): DatabaseReport => ({
    database: name,
    vacuumed,
    neglected: tables.filter(isNeglected).map(({ name: table, dead_rows: deadRows, live_rows: liveRows }) => ({
      table,
      deadRows,
      liveRows,
    })),
    notAllowedCount: tables.filter((table) => !table.may_vacuum).length,
    failed,
    ...(advice.ok ? advice.value : { missingIndexes: [], invalidIndexes: [], unprovenIndexes: [] }),
  });
  let last = afterName;
  for (const table of tables.filter((each) => each.may_vacuum && each.name > afterName)) {
    const place = { database: name, after_table: last };
    if (run.budget.isSpent() || !(await run.checkpoint(place))) return { report: report(), stoppedAfter: last };
    const done = run.isDryRun || (await sql.query(vacuumTable(table.name), { timeoutMs: VACUUM_TIMEOUT_MS })).ok;
    (done ? vacuumed : failed).push(table.name);
    last = table.name;
  }
  return { report: report() };
}

function isNeglected({ may_vacuum: mayVacuum, dead_rows: dead, live_rows: live }: TableRow): boolean {
  return !mayVacuum && dead >= DEAD_ROWS_MIN && dead >= DEAD_SHARE_MIN * (live + dead);
}
