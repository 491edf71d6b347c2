/** The last wall of isolation: what the store returned is looked at once more before any of it leaves. */
import { err, ok, type Result } from "../base/result.ts";
import type { IsolationPlace, Problem } from "../contract/problem.ts";
import type { Scope } from "../db/sql.ts";

/** A row of a table whose rows belong to a user or, with `user_id` '', to the tenant. */
export interface UserRow {
  readonly tenant_id: string;
  readonly user_id: string;
}

/**
 * The rows as they are when each belongs to the reader: their tenant, and what the tenant shares or the user's own ('*': every user). One
 * foreign row and none leaves: `internal`, with `place` and count for the metric and the log, never with content.
 */
export function ownRows<R extends UserRow>(
  place: IsolationPlace,
  reader: Scope,
  rows: readonly R[],
): Result<readonly R[], Problem> {
  const isOwn = (row: UserRow): boolean =>
    row.tenant_id === reader.tenantId && (row.user_id === "" || reader.userId === "*" || row.user_id === reader.userId);
  return unlessForeign(place, rows, isOwn);
}

/** The same for tables whose rows belong to a whole tenant. */
export function ownTenantRows<R extends { readonly tenant_id: string }>(
  place: IsolationPlace,
  tenantId: string,
  rows: readonly R[],
): Result<readonly R[], Problem> {
  return unlessForeign(place, rows, (row) => row.tenant_id === tenantId);
}

function unlessForeign<R>(
  place: IsolationPlace,
  rows: readonly R[],
  isOwn: (row: R) => boolean,
): Result<readonly R[], Problem> {
  const foreignCount = rows.filter((row) => !isOwn(row)).length;
  return foreignCount === 0 ? ok(rows) : err({ code: "internal", isolation: { place, foreignCount } });
}
