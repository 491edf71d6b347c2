/** `GET /v1/admin/traces/:id`: the life of a request from what is stored of it, in R2 and in the store. No log has a part in it. */
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { RequestTrace } from "../../contract/request-trace.ts";
import {
  selectTracedDeadLetters,
  selectTracedDecisions,
  selectTracedOutcomes,
  selectTracedRanges,
  selectTracedReports,
  tracedDeadLetterRowSchema,
  tracedDecisionRowSchema,
  tracedOutcomeRowSchema,
  tracedRangeRowSchema,
  tracedReportRowSchema,
} from "../../db/queries/request-trace.ts";
import type { Row } from "../../db/sql.ts";
import { ownTenantRows } from "../own-rows.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";
import { reportArtifactId } from "../batches/write-report.ts";
import { type FindContext, findWalIds, REQUESTS_MAX } from "./find-wal-ids.ts";
import { readStoredRequests, type StoredRequestFacts } from "./read-stored-requests.ts";
import { eventsOf, requestsOf, type TracedRows } from "./trace-events.ts";

/** Rows of one kind, and events of one trace: what is more is left out, the later part. */
const ROWS_MAX = 1_000;

/** `id` is a request id, a token (WAL id), or a batch tag. Errors: `not_found` where nothing of the tenant has that name. */
export async function readTrace(
  context: FindContext,
  tenantId: string,
  id: string,
): Promise<Result<RequestTrace, Problem>> {
  const found = await findWalIds(context, tenantId, id);
  if (!found.ok) return found;
  const walIds = found.value.slice(0, REQUESTS_MAX);
  const facts = await storedFacts(context, tenantId, walIds);
  if (!facts.ok) return facts;
  const rows = await readRows(context, tenantId, { walIds, facts: facts.value });
  if (!rows.ok) return rows;
  const requests = requestsOf(facts.value, rows.value);
  if (requests.length === 0) return err({ code: "not_found" });
  const events = eventsOf(facts.value, rows.value);
  return ok({
    requests: [...requests],
    events: events.slice(0, ROWS_MAX),
    is_truncated: found.value.length > walIds.length || events.length > ROWS_MAX,
  });
}

async function storedFacts(
  { bucket }: FindContext,
  tenantId: string,
  walIds: readonly string[],
): Promise<Result<readonly StoredRequestFacts[], Problem>> {
  try {
    return ok(await readStoredRequests(bucket, tenantId, walIds));
  } catch {
    return err(storageUnavailable());
  }
}

interface Asked {
  readonly walIds: readonly string[];
  readonly facts: readonly StoredRequestFacts[];
}

async function readRows(
  { sql }: FindContext,
  tenantId: string,
  { walIds, facts }: Asked,
): Promise<Result<TracedRows, Problem>> {
  const tags = new Set(
    facts.flatMap(({ head }) => (head === undefined || head.origin !== undefined ? [] : head.batch_tag)),
  );
  const rows = await sql.transaction(
    { tenantId, userId: "*" },
    [
      selectTracedRanges(tenantId, walIds, ROWS_MAX),
      selectTracedOutcomes(tenantId, walIds),
      selectTracedDeadLetters(tenantId, walIds, ROWS_MAX),
      selectTracedDecisions(tenantId, walIds, ROWS_MAX),
      selectTracedReports(tenantId, [...tags].map(reportArtifactId)),
    ],
    { readOnly: true },
  );
  if (!rows.ok) return err(problemOfSql(rows.error));
  const [ranges, outcomes, deadLetters, decisions, reports] = rows.value;
  const traced: TracedRows = {
    ranges: parsed(ranges, tracedRangeRowSchema),
    outcomes: parsed(outcomes, tracedOutcomeRowSchema),
    deadLetters: parsed(deadLetters, tracedDeadLetterRowSchema),
    decisions: parsed(decisions, tracedDecisionRowSchema),
    reports: parsed(reports, tracedReportRowSchema),
  };
  const own = ownTenantRows("traces", tenantId, Object.values(traced).flat());
  return own.ok ? ok(traced) : own;
}

function parsed<T>(rows: readonly Row[] = [], schema: { parse(row: unknown): T }): T[] {
  return rows.map((row) => schema.parse(row));
}
