import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { ok, type Result } from "../../base/result.ts";
import {
  artifactSizesRowSchema,
  databaseSizeRowSchema,
  openDeadLetterCountsRowSchema,
  SELECT_DATABASE_SIZE,
  selectArtifactSizes,
  selectOpenDeadLetterCounts,
} from "../../db/queries/measurements.ts";
import type { Sql, SqlError } from "../../db/sql.ts";
import { knownTenants } from "../tenants/known-tenants.ts";
import type { Job, JobContext, JobGauge } from "./job.ts";

interface MeasureContext extends JobContext {
  readonly bucket: R2Bucket;
  readonly databases: ReadonlyMap<string, Sql>;
}

/** Owner of dead letters that belong to no tenant. */
const SYSTEM_TENANT_ID = "system";
/** A queue without dead letters shows as 0, not as nothing. */
const QUEUES = ["embed", "seal"] as const;

const countsSchema = z.record(z.string(), z.number());

/** What a round has added up over the tenants that it has visited. */
const cursorSchema = z.object({
  after_tenant: z.string().default(""),
  artifact_objects: countsSchema.default({}),
  artifact_bytes: countsSchema.default({}),
  dead_letters_open: countsSchema.default({}),
});
type Round = z.infer<typeof cursorSchema>;

export interface MeasureReport {
  readonly tenantCount: number;
  /** Tenants, and databases, that could not be asked. */
  readonly failedCount: number;
}

/** Adds up what only a database with its tenants' scopes can tell; a round that takes several runs shows when it is whole. */
export const MEASURE_JOB: Job<MeasureContext, MeasureReport> = {
  name: "measure",
  summary: "measures what dashboards show of the store: artifacts by kind, open dead letters, size of the databases",
  cron: "*/5 * * * *",
  timeMsMax: 60_000,
  async run(context, { cursor, budget }) {
    const round = cursorSchema.parse(cursor);
    let failedCount = 0;
    let tenantCount = 0;
    const tenants = await knownTenants(context.bucket, [SYSTEM_TENANT_ID]);
    for (const tenantId of tenants.filter((each) => each > round.after_tenant)) {
      if (budget.isSpent()) return { report: { tenantCount, failedCount }, outcome: "partial", cursor: round };
      const measured = await addTenant(context.sql, tenantId, round);
      tenantCount += 1;
      if (!measured.ok) failedCount += 1;
      round.after_tenant = tenantId;
    }
    const size = await databaseBytes(context.databases);
    failedCount += size.failedCount;
    return {
      report: { tenantCount, failedCount },
      outcome: failedCount === 0 ? "done" : "failed",
      cursor: {},
      gauges: failedCount === 0 ? [...roundGauges(round), ...size.gauges] : size.gauges,
    };
  },
};

async function addTenant(sql: Sql, tenantId: string, round: Round): Promise<Result<void, SqlError>> {
  const statements = [selectArtifactSizes(tenantId), selectOpenDeadLetterCounts(tenantId)];
  const rows = await sql.transaction({ tenantId, userId: "*" }, statements, { readOnly: true });
  if (!rows.ok) return rows;
  for (const row of rows.value[0] ?? []) {
    const { kind, object_count: objects, size_bytes: bytes } = artifactSizesRowSchema.parse(row);
    add(round.artifact_objects, kind, objects);
    add(round.artifact_bytes, kind, bytes);
  }
  for (const row of rows.value[1] ?? []) {
    const { queue, letter_count: letters } = openDeadLetterCountsRowSchema.parse(row);
    add(round.dead_letters_open, queue, letters);
  }
  return ok(undefined);
}

function add(counts: Record<string, number>, name: string, by: number): void {
  counts[name] = (counts[name] ?? 0) + by;
}

function roundGauges(round: Round): readonly JobGauge[] {
  const letters = { ...Object.fromEntries(QUEUES.map((queue) => [queue, 0])), ...round.dead_letters_open };
  return [
    ...gaugesOf("artifact_objects", "kind", round.artifact_objects),
    ...gaugesOf("artifact_bytes", "kind", round.artifact_bytes),
    ...gaugesOf("dead_letters_open", "queue", letters),
  ];
}

function gaugesOf(name: JobGauge["name"], label: string, counts: Readonly<Record<string, number>>): JobGauge[] {
  return Object.entries(counts).map(([value, count]) => ({ name, labels: { [label]: value }, value: count }));
}

/** Of all databases together: which tenants lie where is a matter of the operator. */
async function databaseBytes(
  databases: ReadonlyMap<string, Sql>,
): Promise<{ readonly gauges: readonly JobGauge[]; readonly failedCount: number }> {
  let bytes = 0;
  let failedCount = 0;
  for (const sql of databases.values()) {
    const rows = await sql.query(SELECT_DATABASE_SIZE);
    if (rows.ok) bytes += databaseSizeRowSchema.parse(rows.value[0]).size_bytes;
    else failedCount += 1;
  }
  return { gauges: failedCount > 0 ? [] : [{ name: "database_bytes", labels: {}, value: bytes }], failedCount };
}
