import {
  selectWaiting,
  SELECT_TENANTS_WITH_UNSENT,
  tenantIdRowSchema,
  waitingRowSchema,
} from "../../db/queries/profile-outbox.ts";
import type { Sql } from "../../db/sql.ts";
import type { Job, JobContext } from "../run-job.ts";
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

/** Sends changes of profiles whose request ended between the commit and the WAL object. */
export const PROFILE_OUTBOX_JOB: Job<OutboxContext & JobContext & DatabasesContext, OutboxReport> = {
  name: "profile_outbox",
  async run(context) {
    const { tenants, failedCount } = await tenantsWithUnsent(context);
    const tally = { sent: 0, failed: failedCount };
    const untilMs = context.clock() - SETTLED_MS;
    for (const tenantId of tenants) {
      const name = { tenantId, userId: "*" };
      const rowsMax = SENT_MAX - tally.sent - tally.failed;
      if (rowsMax <= 0) break;
      const rows = await context.sql.transaction(name, [selectWaiting(name, { untilMs, rowsMax })], { readOnly: true });
      if (!rows.ok) tally.failed += 1;
      for (const row of rows.ok ? (rows.value[0] ?? []) : []) {
        const sent = await sendWaiting(context, name, waitingRowSchema.parse(row).wal_id);
        if (sent.ok) tally.sent += 1;
        else tally.failed += 1;
      }
    }
    const isFull = tally.sent + tally.failed >= SENT_MAX;
    return {
      report: { sentCount: tally.sent, failedCount: tally.failed },
      outcome: tally.failed > 0 ? "failed" : isFull ? "partial" : "done",
      cursor: {},
    };
  },
};

/** Tenants that have something in an outbox, or facts that were changed by SQL; and how many databases did not say. */
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
  return { tenants: [...tenants], failedCount };
}
