import { z } from "zod";
import {
  selectWaiting,
  SELECT_TENANTS_WITH_UNSENT,
  tenantIdRowSchema,
  waitingRowSchema,
} from "../../db/queries/profile-outbox.ts";
import type { Sql } from "../../db/sql.ts";
import type { Job, JobContext, JobRun } from "../jobs/job.ts";
import { sendWaiting, type OutboxContext } from "./send-outbox.ts";

/** Each database by the name of its shard: a scan for tenants has no tenant to be routed by. */
export interface DatabasesContext {
  readonly databases: ReadonlyMap<string, Sql>;
}

interface OutboxReport {
  readonly sentCount: number;
  /** Changes that could not be sent: the next run meets them again. */
  readonly failedCount: number;
}

/** WAL objects of one run. */
const SENT_MAX = 500;
/** How long a change is left to the request that made it, milliseconds. */
const SETTLED_MS = 60_000;

const cursorSchema = z.object({ after_tenant: z.string().default("") });

/** Sends changes of profiles whose request ended between the commit and the WAL object. */
export const PROFILE_OUTBOX_JOB: Job<OutboxContext & JobContext & DatabasesContext, OutboxReport> = {
  name: "profile_outbox",
  summary: "sends changes of profiles whose request ended between its commit and its WAL object",
  cron: "*/5 * * * *",
  timeMsMax: 60_000,
  async run(context, run) {
    const { after_tenant: afterTenant } = cursorSchema.parse(run.cursor);
    const { tenants, failedCount } = await tenantsWithUnsent(context);
    const tally = { sent: 0, failed: failedCount };
    let cutShortAt = "";
    for (const tenantId of tenants.filter((each) => each > afterTenant)) {
      if (await sendOfTenant(context, tenantId, { tally, run })) continue;
      cutShortAt = tenantId;
      break;
    }
    return {
      report: { sentCount: tally.sent, failedCount: tally.failed },
      outcome: tally.failed > 0 ? "failed" : cutShortAt === "" ? "done" : "partial",
      // What is left of that tenant comes in the next round: changes that cannot be sent must not keep those of others waiting.
      cursor: { after_tenant: cutShortAt },
    };
  },
};

interface Work {
  readonly tally: { sent: number; failed: number };
  readonly run: Pick<JobRun, "budget" | "isDryRun">;
}

/** Sends what waits of one tenant; false: cut short. */
async function sendOfTenant(
  context: OutboxContext & JobContext,
  tenantId: string,
  { tally, run }: Work,
): Promise<boolean> {
  const name = { tenantId, userId: "*" };
  const untilMs = context.clock() - SETTLED_MS;
  const rows = await context.sql.transaction(name, [selectWaiting(name, { untilMs, rowsMax: SENT_MAX })], {
    readOnly: true,
  });
  if (!rows.ok) tally.failed += 1;
  for (const row of rows.ok ? (rows.value[0] ?? []) : []) {
    if (tally.sent + tally.failed >= SENT_MAX || run.budget.isSpent()) return false;
    const { wal_id: walId } = waitingRowSchema.parse(row);
    if (run.isDryRun || (await sendWaiting(context, name, walId)).ok) tally.sent += 1;
    else tally.failed += 1;
  }
  return true;
}

/** Tenants that have something in an outbox, or facts that were changed by SQL; and how many databases did not say. In order. */
export async function tenantsWithUnsent({
  databases,
}: DatabasesContext): Promise<{ readonly tenants: readonly string[]; readonly failedCount: number }> {
  const tenants = new Set<string>();
  let failedCount = 0;
  for (const sql of databases.values()) {
    const rows = await sql.transaction({ tenantId: "", userId: "" }, [SELECT_TENANTS_WITH_UNSENT], { readOnly: true });
    if (!rows.ok) failedCount += 1;
    for (const row of rows.ok ? (rows.value[0] ?? []) : []) tenants.add(tenantIdRowSchema.parse(row).tenant_id);
  }
  return { tenants: [...tenants].sort(), failedCount };
}
