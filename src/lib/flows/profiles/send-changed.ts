import { err, ok, type Result } from "../../base/result.ts";
import { factKeySchema } from "../../contract/profile.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  changedRowSchema,
  claimChanged,
  selectChangedBySql,
  type ChangedRow,
} from "../../db/queries/profile-outbox.ts";
import { policyRowSchema, selectPolicy } from "../../db/queries/tenants.ts";
import { problemOfSql } from "../problem-of.ts";
import { factDocument, factHead } from "./fact-document.ts";
import { judgeFacts, type JudgedFact } from "./judge-facts.ts";
import type { PutProfileContext } from "./put-profile.ts";
import { entriesOf, sendEntries } from "./send-outbox.ts";

/** Rows of one WAL object. */
export const CHANGED_PAGE_MAX = 100;

export interface SentChanges {
  readonly rowCount: number;
  /** Of these, facts of which nothing may be found by the tenant's policy. */
  readonly refusedCount: number;
}

/**
 * Finds rows of a tenant that were written by SQL, judges them as a request's facts are judged, and sends their documents. The row itself stays
 * as it was written. What is refused goes without its text, so that nothing of an earlier content is found either.
 */
export async function sendChanged(context: PutProfileContext, tenantId: string): Promise<Result<SentChanges, Problem>> {
  const name = { tenantId, userId: "*" };
  const statements = [selectChangedBySql(tenantId, CHANGED_PAGE_MAX), selectPolicy(tenantId)];
  const read = await context.sql.transaction(name, statements, { readOnly: true });
  if (!read.ok) return err(problemOfSql(read.error));
  const rows = (read.value[0] ?? []).map((row) => changedRowSchema.parse(row));
  if (rows.length === 0) return ok({ rowCount: 0, refusedCount: 0 });
  const principal = watcherOf(tenantId, policyRowSchema.parse(read.value[1]?.[0] ?? { policy: {}, policy_version: 0 }));
  const judged = await judgeRows(context, principal, rows);
  if (!judged.ok) return judged;
  const walId = context.newUlid();
  const head = factHead(principal, { walId, requestId: `profile-watch-${walId}`, nowMs: context.clock() });
  const claims = rows.map((row, index) => ({
    row,
    outboxJson: JSON.stringify({ head, document: documentOf(row, judged.value[index]) }),
  }));
  const claimed = await context.sql.transaction(name, [claimChanged(tenantId, claims)]);
  if (!claimed.ok) return err(problemOfSql(claimed.error));
  const entries = entriesOf(claimed.value[0] ?? []);
  const sent = await sendEntries(context, name, entries);
  if (!sent.ok) return sent;
  return ok({ rowCount: entries.length, refusedCount: judged.value.filter((fact) => fact?.isRefused === true).length });
}

type TenantsPolicy = Pick<Principal, "policy"> & { readonly policy_version: number };

/** The system in the tenant's name. */
function watcherOf(tenantId: string, { policy, policy_version: policyVersion }: TenantsPolicy): Principal {
  return { keyId: "profile_watch", tenantId, userId: "", scopes: ["ingest"], expiresAtMs: null, policy, policyVersion };
}

/** Aligned with the rows; undefined for a removal, of which there is nothing to judge. */
async function judgeRows(
  context: PutProfileContext,
  principal: Principal,
  rows: readonly ChangedRow[],
): Promise<Result<readonly (JudgedFact | undefined)[], Problem>> {
  const isJudged = (row: ChangedRow): boolean => !row.removed && isSayable(row);
  const facts = rows.filter(isJudged).map((row) => ({
    userId: row.user_id,
    key: row.fact_key,
    value: row.value,
    source: row.source === "" ? "profile" : row.source,
    observedAt: row.observed_at.toISOString(),
  }));
  const judged = await judgeFacts(context, { principal, facts, nowMs: context.clock() });
  if (!judged.ok) return judged;
  const left = [...judged.value];
  return ok(rows.map((row) => (isJudged(row) ? left.shift() : row.removed ? undefined : REFUSED)));
}

const REFUSED: JudgedFact = {
  isRefused: true,
  value: "",
  text: "",
  reasons: [{ code: "field_invalid" }],
  curation: undefined,
};

/** SQL takes names that the API does not. */
function isSayable(row: ChangedRow): boolean {
  return factKeySchema.safeParse(row.fact_key).success && row.value !== "";
}

function documentOf(row: ChangedRow, judged: JudgedFact | undefined): ReturnType<typeof factDocument> {
  return factDocument({
    userId: row.user_id,
    key: row.fact_key,
    version: row.version,
    source: row.source === "" ? "profile" : row.source,
    observedAtMs: row.observed_at.getTime(),
    text: judged?.text ?? "",
    reasons: judged?.reasons ?? [],
    curation: judged?.curation,
  });
}
