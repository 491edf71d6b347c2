/** API keys: made, listed, rotated, revoked. The admin routes and the command line call the same functions. */
import type { KVNamespace } from "@cloudflare/workers-types";
import { apiKeyHint, makeApiKey } from "../../auth/api-key.ts";
import { writeKeyCopy } from "../../auth/key-copies.ts";
import { sha256Hex } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { keyRecordSchema } from "../../contract/key-record.ts";
import type { KeyScope } from "../../contract/principal.ts";
import { SYSTEM_TENANT_PREFIX } from "../../contract/scope.ts";
import {
  insertKey,
  keySummarySchema,
  revokedKeySchema,
  revokeKey as revokeKeyStatement,
  rotateKey as rotateKeyStatement,
  selectKeys,
  type KeySummary,
} from "../../db/queries/api-keys.ts";
import { insertTenant } from "../../db/queries/tenants.ts";
import type { Sql, SqlError } from "../../db/sql.ts";

export interface KeysContext {
  readonly sql: Sql;
  readonly newId: () => string;
  readonly fillRandom: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly clock: () => number;
}

/** A key that was just made: the only moment at which it can be read. */
export interface MadeKey {
  readonly key: string;
  readonly summary: KeySummary;
}

export interface KeyRequest {
  readonly tenantId: string;
  /** '' for a key of the whole tenant. Such a key may not be an admin's. */
  readonly userId: string;
  readonly scopes: readonly KeyScope[];
  readonly label: string;
  readonly expiresAtMs: number | null;
}

export type KeyError =
  | SqlError
  | { readonly code: "tenant_unknown" | "key_unknown" | "admin_bound_to_user" | "conflict" };

/** Longest overlap of a rotation: long enough for a slow roll-out. */
export const OVERLAP_SECONDS_MAX = 30 * 24 * 60 * 60;

/** Makes the tenant unless it is there. */
export async function createTenant(
  sql: Sql,
  tenantId: string,
  displayName: string,
): Promise<Result<{ created: boolean }, SqlError>> {
  const rows = await sql.transaction({ tenantId, userId: "" }, [insertTenant(tenantId, displayName)]);
  return rows.ok ? ok({ created: rows.value[0]?.length === 1 }) : rows;
}

/** Makes a key. Errors: tenant_unknown (also for the service's own tenants, which nobody acts for), admin_bound_to_user. */
export async function createKey(context: KeysContext, request: KeyRequest): Promise<Result<MadeKey, KeyError>> {
  if (request.tenantId.startsWith(SYSTEM_TENANT_PREFIX)) return err({ code: "tenant_unknown" });
  const { userId, scopes } = request;
  if (userId !== "" && (scopes.includes("admin") || scopes.includes("operator")))
    return err({ code: "admin_bound_to_user" });
  const key = makeApiKey(context.fillRandom);
  const statement = insertKey({
    ...request,
    keyId: newKeyId(context),
    keyHash: await sha256Hex(key),
    hint: apiKeyHint(key),
  });
  const rows = await context.sql.transaction({ tenantId: request.tenantId, userId: "" }, [statement]);
  if (!rows.ok) return err(rows.error.code === "constraint_violation" ? { code: "tenant_unknown" } : rows.error);
  return ok({ key, summary: keySummarySchema.parse(rows.value[0]?.[0]) });
}

/** One page of a tenant's keys, newest first. */
export async function listKeys(
  context: Pick<KeysContext, "sql">,
  page: { readonly tenantId: string; readonly beforeKeyId: string; readonly rowsMax: number },
): Promise<Result<KeySummary[], SqlError>> {
  const statement = selectKeys(page.tenantId, page.beforeKeyId, page.rowsMax);
  const rows = await context.sql.transaction({ tenantId: page.tenantId, userId: "" }, [statement], { readOnly: true });
  return rows.ok ? ok((rows.value[0] ?? []).map((row) => keySummarySchema.parse(row))) : rows;
}

/** A new key in the place of an old one; both work during the overlap. `conflict`: the old one is revoked, expired or already rotated. */
export async function rotateKey(
  context: KeysContext,
  rotation: { readonly tenantId: string; readonly keyId: string; readonly overlapSeconds: number },
): Promise<Result<MadeKey, KeyError>> {
  const key = makeApiKey(context.fillRandom);
  const statement = rotateKeyStatement({
    ...rotation,
    newKeyId: newKeyId(context),
    newKeyHash: await sha256Hex(key),
    newHint: apiKeyHint(key),
  });
  const rows = await context.sql.transaction({ tenantId: rotation.tenantId, userId: "" }, [statement]);
  if (!rows.ok) return rows;
  const row = rows.value[0]?.[0];
  return row === undefined ? err({ code: "conflict" }) : ok({ key, summary: keySummarySchema.parse(row) });
}

/**
 * Revokes a key. Its copy in KV is revoked too, so that an outage of Postgres does not bring it back; that write may fail (`copyRevoked` false)
 * without changing that the key is revoked.
 */
export async function revokeKey(
  context: Pick<KeysContext, "sql" | "clock"> & { readonly copies?: KVNamespace },
  tenantId: string,
  keyId: string,
): Promise<Result<{ copyRevoked: boolean }, KeyError>> {
  const rows = await context.sql.transaction({ tenantId, userId: "" }, [revokeKeyStatement(tenantId, keyId)]);
  if (!rows.ok) return rows;
  const row = rows.value[0]?.[0];
  if (row === undefined) return err({ code: "key_unknown" });
  const { key_hash: keyHash, ...record } = revokedKeySchema.parse(row);
  if (context.copies === undefined) return ok({ copyRevoked: false });
  try {
    await writeKeyCopy(context.copies, keyHash, keyRecordSchema.parse(record), context.clock());
    return ok({ copyRevoked: true });
  } catch {
    return ok({ copyRevoked: false });
  }
}

function newKeyId(context: KeysContext): string {
  return `key_${context.newId()}`;
}
