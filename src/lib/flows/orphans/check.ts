import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Row, Sql, Statement } from "../../db/sql.ts";
import type { Finding, OrphanKind } from "./finding.ts";
import type { KeyWindows } from "./key-windows.ts";

/** One tenant under a look. */
export interface TenantLook {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly clock: Clock;
  readonly tenantId: string;
  /** When a batch of the tenant was last dropped, milliseconds; undefined where none was. */
  readonly droppedAtMs: number | undefined;
  /** Objects under a prefix such as `wal/<tenant>/`. */
  readonly objectsUnder: (prefix: string) => KeyWindows;
}

export interface CheckPage {
  readonly findings: readonly Finding[];
  /** Rows or objects that were looked at. */
  readonly lookedAtCount: number;
  /** Where the next page begins; undefined behind the last. */
  readonly next: string | undefined;
}

/** Why a page could not be looked at: its findings are neither new nor gone. */
export interface CheckFailure {
  readonly code: string;
}

/** One kind of look at a tenant, page by page. Throws when R2 fails. */
export interface Check {
  readonly name: string;
  /** What it finds: a whole look without one of these says that it is gone. */
  readonly kinds: readonly OrphanKind[];
  readonly page: (look: TenantLook, after: string) => Promise<Result<CheckPage, CheckFailure>>;
}

/** Reads one page of rows as the system, in one statement. */
export async function readPage<T>(
  { sql, tenantId }: Pick<TenantLook, "sql" | "tenantId">,
  statement: Statement,
  schema: { readonly parse: (row: unknown) => T },
): Promise<Result<T, CheckFailure>> {
  const rows = await readRows({ sql, tenantId }, statement);
  return rows.ok ? ok(schema.parse(rows.value[0])) : rows;
}

export async function readRows(
  { sql, tenantId }: Pick<TenantLook, "sql" | "tenantId">,
  statement: Statement,
): Promise<Result<readonly Row[], CheckFailure>> {
  const rows = await sql.transaction({ tenantId, userId: "*" }, [statement], { readOnly: true });
  return rows.ok ? ok(rows.value[0] ?? []) : err({ code: rows.error.code });
}

/** Where the page behind one of `rowsMax` rows begins. */
export function nextOf(
  end: { readonly row_count: number; readonly last: string },
  rowsMax: number,
): string | undefined {
  return end.row_count < rowsMax ? undefined : end.last;
}
