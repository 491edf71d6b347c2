import { z } from "zod";
import type { Statement } from "../sql.ts";

/** One user of a tenant. */
export interface UserName {
  readonly tenantId: string;
  readonly userId: string;
}

/**
 * SQL: whether a version of a user's, both SQL expressions, is older than the user's erasure. Needs the tenant as `$1`. One row by its key; null, as
 * good as false, where the user was never erased.
 */
export function isErasedSql(version: string, userId: string): string {
  return `(${version} < (select u.erased_before from user_erasures u where u.tenant_id = $1 and u.user_hash = user_hash(${userId})))`;
}

/** SQL: the version that a receipt is of. One that failed before its version was known is as old as its request. */
export const RECEIPT_VERSION = "case when r.version_key = '' then r.wal_id else r.version_key end";

/** SQL: what a receipt loses that stays as a number in the counts of its batch. '*' is no user: no key of a user sees it. */
export const DISOWNED_RECEIPT =
  "user_id = '*', document_id = '', document_uid = null, version_key = '', duplicate_of = null";

const LOCK_KEY = "hashtextextended(jsonb_build_array('user', $1::text, u.user_id)::text, 0)";

/**
 * Keeps the erasure of these users waiting until the end of the transaction, and not each other: what a transaction writes after this statement either
 * meets the tombstone or is there when the erasure begins to delete. Comes before every other lock.
 */
export function holdErasures(tenantId: string, userIds: Iterable<string>): Statement {
  return {
    text: `select pg_advisory_xact_lock_shared(k.key)
           from (select distinct ${LOCK_KEY} as key from unnest($2::text[]) as u (user_id) order by 1) k`,
    params: [tenantId, [...new Set(userIds)]],
  };
}

/** Users of a range that were erased, and the version before which what they sent is gone. */
export function selectErasedUsers(tenantId: string, userIds: Iterable<string>): Statement {
  return {
    text: `select n.user_id, u.erased_before from unnest($2::text[]) as n (user_id)
           join user_erasures u on u.tenant_id = $1 and u.user_hash = user_hash(n.user_id)`,
    params: [tenantId, [...new Set(userIds)]],
  };
}

export const erasedUserRowSchema = z.object({ user_id: z.string(), erased_before: z.string() });

/** Waits for the transactions that write something of the user's, and keeps others waiting until the end of this one. */
function lockWriters({ tenantId, userId }: UserName): Statement {
  return {
    text: `select pg_advisory_xact_lock(${LOCK_KEY}) from (select $2::text as user_id) u`,
    params: [tenantId, userId],
  };
}

const COLUMNS = "erasure_id, erased_before, erased_at, progress";

export const erasureRowSchema = z.object({
  erasure_id: z.string(),
  erased_before: z.string(),
  erased_at: z.date(),
  progress: z.unknown(),
});

/** Begins an erasure, unless one is going on already. The row of the erasure that holds is what the last statement returns. */
export function beginErasure(
  user: UserName,
  begun: { readonly erasureId: string; readonly progressJson: string },
): readonly Statement[] {
  return [
    lockWriters(user),
    {
      text: `insert into user_erasures as u (tenant_id, user_hash, erasure_id, erased_before, progress)
             values ($1, user_hash($2), $3, $3, $4::jsonb)
             on conflict (tenant_id, user_hash) do update set erasure_id = excluded.erasure_id, progress = excluded.progress,
               erased_before = greatest(u.erased_before, excluded.erased_before), erased_at = clock_timestamp()
             where u.progress is null`,
      params: [user.tenantId, user.userId, begun.erasureId, begun.progressJson],
    },
    selectErasure(user),
  ];
}

export function selectErasure({ tenantId, userId }: UserName): Statement {
  return {
    text: `select ${COLUMNS} from user_erasures where tenant_id = $1 and user_hash = user_hash($2)`,
    params: [tenantId, userId],
  };
}

/** Moves the line between what is gone and what is new to now. */
export function raiseErasure(user: UserName, erasureId: string, erasedBefore: string): readonly Statement[] {
  return [
    lockWriters(user),
    {
      text: `update user_erasures set erased_before = greatest(erased_before, $4), erased_at = clock_timestamp()
             where tenant_id = $1 and user_hash = user_hash($2) and erasure_id = $3 and progress is not null
             returning ${COLUMNS}`,
      params: [user.tenantId, user.userId, erasureId, erasedBefore],
    },
  ];
}

/** Keeps where an erasure stands; null ends it. No effect once it has ended. */
export function saveErasure(user: UserName, erasureId: string, progressJson: string | null): Statement {
  return {
    text: `update user_erasures set progress = $4::jsonb
           where tenant_id = $1 and user_hash = user_hash($2) and erasure_id = $3 and progress is not null`,
    params: [user.tenantId, user.userId, erasureId, progressJson],
  };
}

/** Erasures that were begun an hour ago or more and are not done. */
export function countOpenErasures(tenantId: string): Statement {
  return {
    text: `select count(*)::int as open_count from user_erasures
           where tenant_id = $1 and progress is not null and erased_at < now() - interval '1 hour'`,
    params: [tenantId],
  };
}

export const openErasuresRowSchema = z.object({ open_count: z.int() });
