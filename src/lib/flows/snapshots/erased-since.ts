/** What of the objects that are gone an erasure took. WAL and quarantine objects never go by one: they are written anew. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { listAll } from "../../bucket/list-objects.ts";
import { erasedSessionRowSchema, selectErasedSessions, type SessionName } from "../../db/queries/snapshots.ts";
import type { Sql } from "../../db/sql.ts";
import { idOfKeyPart, keyPartHash } from "../../session/session-keys.ts";

interface ErasedContext {
  readonly bucket: R2Bucket;
  readonly sql: Sql;
}

/** An object that an erasure may delete. */
interface Erasable {
  readonly key: string;
  readonly tenantId: string;
  /** Whose session it is of; undefined: it is one of the whole tenant, and goes when it held the erased user. */
  readonly owner: { readonly user: string; readonly session: string } | undefined;
}

/** Pages of a tenant's certificates: ten thousand erased users. */
const PAGES_MAX = 10;

const OF_SESSION = /^(?:segments|summaries|sessions)\/([^/]+)\/([^/]+)\/([^/]+)/;
const OF_TENANT = /^(?:packs|backups\/[^/]+)\/([^/]+)\//;

/**
 * Keys among those given that a certificate of an erasure, or the row of an erased session, accounts for since that time. Where the database does not
 * answer, sessions that were erased alone are not among them. Throws when R2 fails.
 */
export async function erasedAmong(
  context: ErasedContext,
  keys: readonly string[],
  since: Date,
): Promise<ReadonlySet<string>> {
  const erased = new Set<string>();
  const byTenant = Map.groupBy(keys.flatMap(erasableOf), ({ tenantId }) => tenantId);
  for (const [tenantId, objects] of byTenant) {
    const users = await erasedUsers(context.bucket, tenantId, since);
    const rest: Erasable[] = [];
    for (const object of objects) {
      if (object.owner === undefined ? users.length > 0 : isErasedUser(object.owner.user, users))
        erased.add(object.key);
      else rest.push(object);
    }
    for (const key of await ofErasedSessions(context.sql, { tenantId, objects: rest, since })) erased.add(key);
  }
  return erased;
}

function erasableOf(key: string): readonly Erasable[] {
  const [, tenantId, user, session] = OF_SESSION.exec(key) ?? [];
  if (tenantId !== undefined && user !== undefined && session !== undefined)
    return [{ key, tenantId, owner: { user, session } }];
  const ofTenant = OF_TENANT.exec(key)?.[1];
  return ofTenant === undefined ? [] : [{ key, tenantId: ofTenant, owner: undefined }];
}

/** Hashes of the users whose certificates were written since. */
async function erasedUsers(bucket: R2Bucket, tenantId: string, since: Date): Promise<readonly string[]> {
  const prefix = `erasures/${tenantId}/`;
  const certificates = await listAll(bucket, { prefix, pagesMax: PAGES_MAX });
  const late = certificates.filter(({ uploaded }) => uploaded.getTime() >= since.getTime());
  return late.map(({ key }) => key.slice(prefix.length).split("-", 1)[0] ?? "");
}

function isErasedUser(part: string, hashes: readonly string[]): boolean {
  const beginning = keyPartHash(part);
  return beginning !== undefined && hashes.some((hash) => hash.startsWith(beginning));
}

async function ofErasedSessions(
  sql: Sql,
  {
    tenantId,
    objects,
    since,
  }: { readonly tenantId: string; readonly objects: readonly Erasable[]; readonly since: Date },
): Promise<readonly string[]> {
  const named = objects.flatMap(({ key, owner }): readonly (SessionName & { readonly key: string })[] => {
    const [userId, sessionId] = [idOfKeyPart(owner?.user ?? "@"), idOfKeyPart(owner?.session ?? "@")];
    return userId === undefined || sessionId === undefined ? [] : [{ key, userId, sessionId }];
  });
  if (named.length === 0) return [];
  const statement = selectErasedSessions(tenantId, { since, sessions: named });
  const rows = await sql.transaction({ tenantId, userId: "*" }, [statement], { readOnly: true });
  const erased = new Set(
    (rows.ok ? (rows.value[0] ?? []) : [])
      .map((row) => erasedSessionRowSchema.parse(row))
      .map((row) => JSON.stringify([row.user_id, row.session_id])),
  );
  return named.filter(({ userId, sessionId }) => erased.has(JSON.stringify([userId, sessionId]))).map(({ key }) => key);
}
