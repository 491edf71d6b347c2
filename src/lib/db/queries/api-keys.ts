import { z } from "zod";
import { keyFactsSchema } from "../../contract/key-record.ts";
import { keyScopeSchema, type KeyScope } from "../../contract/principal.ts";
import type { Statement } from "../sql.ts";

const RECORD_COLUMNS = `key_id, tenant_id, user_id, scopes,
  (extract(epoch from expires_at) * 1000)::float8 as expires_at_ms, (extract(epoch from revoked_at) * 1000)::float8 as revoked_at_ms`;

/**
 * The key with this hash (64 hexadecimal characters) and the policy of its tenant; visible only after `keyLookupStatement` in the same
 * transaction.
 */
export function selectKeyByHash(keyHash: string): Statement {
  return {
    text: `select k.*, t.policy, t.policy_version::float8 as policy_version
           from (select ${RECORD_COLUMNS} from api_keys where key_hash = decode($1, 'hex')) k join tenants t using (tenant_id)`,
    params: [keyHash],
  };
}

export interface NewKey {
  readonly keyId: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly keyHash: string;
  readonly hint: string;
  readonly label: string;
  readonly scopes: readonly KeyScope[];
  readonly expiresAtMs: number | null;
}

/** Stores a new key. The hash is unique: a second insert of the same key fails. */
export function insertKey(key: NewKey): Statement {
  return {
    text: `insert into api_keys (key_id, tenant_id, user_id, key_hash, hint, label, scopes, expires_at)
           values ($1, $2, $3, decode($4, 'hex'), $5, $6, string_to_array($7, ','), to_timestamp($8::float8 / 1000))
           returning ${SUMMARY_COLUMNS}`,
    params: [
      key.keyId,
      key.tenantId,
      key.userId,
      key.keyHash,
      key.hint,
      key.label,
      key.scopes.join(","),
      key.expiresAtMs,
    ],
  };
}

const SUMMARY_COLUMNS = `${RECORD_COLUMNS}, hint, label, rotated_to, (extract(epoch from created_at) * 1000)::float8 as created_at_ms`;

/** A key as its owner sees it: everything but the key and its hash. */
export const keySummarySchema = keyFactsSchema.extend({
  scopes: z.array(keyScopeSchema),
  hint: z.string(),
  label: z.string(),
  rotated_to: z.string().nullable(),
  created_at_ms: z.number(),
});
export type KeySummary = z.infer<typeof keySummarySchema>;

/** Keys of a tenant, newest first, behind `beforeKeyId` ('' for the first page). Key ids sort by time. */
export function selectKeys(tenantId: string, beforeKeyId: string, rowsMax: number): Statement {
  return {
    text: `select ${SUMMARY_COLUMNS} from api_keys where tenant_id = $1 and ($2 = '' or key_id < $2) order by key_id desc limit $3::int`,
    params: [tenantId, beforeKeyId, rowsMax],
  };
}

/**
 * Replaces a key: the new one takes over user, label, scopes and expiry, the old one expires after the overlap. One row, or none when the old
 * key is unknown, revoked, expired or already rotated: of two rotations at a time one wins.
 */
export function rotateKey(rotation: {
  readonly tenantId: string;
  readonly keyId: string;
  readonly newKeyId: string;
  readonly newKeyHash: string;
  readonly newHint: string;
  readonly overlapSeconds: number;
}): Statement {
  return {
    text: `with old as (
             select * from api_keys where tenant_id = $1 and key_id = $2 and revoked_at is null and rotated_to is null
               and (expires_at is null or expires_at > now()) for update
           ), ended as (
             update api_keys k set rotated_to = $3, expires_at = least(k.expires_at, now() + make_interval(secs => $6::float8))
             from old where k.key_id = old.key_id
           )
           insert into api_keys (key_id, tenant_id, user_id, key_hash, hint, label, scopes, expires_at)
           select $3, tenant_id, user_id, decode($4, 'hex'), $5, label, scopes, expires_at from old
           returning ${SUMMARY_COLUMNS}`,
    params: [
      rotation.tenantId,
      rotation.keyId,
      rotation.newKeyId,
      rotation.newKeyHash,
      rotation.newHint,
      rotation.overlapSeconds,
    ],
  };
}

/** Revokes a key, now and for good; a second time changes nothing. One row with its hash, or none when it is unknown. */
export function revokeKey(tenantId: string, keyId: string): Statement {
  return {
    text: `update api_keys set revoked_at = coalesce(revoked_at, now()) where tenant_id = $1 and key_id = $2
           returning ${RECORD_COLUMNS}, encode(key_hash, 'hex') as key_hash`,
    params: [tenantId, keyId],
  };
}

export const revokedKeySchema = keyFactsSchema.extend({ key_hash: z.string().length(64) });
