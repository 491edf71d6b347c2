import type { ErasureCertificate, ErasureProgress } from "../../../src/lib/contract/user-erasure.ts";
import { createMarker } from "../../../src/lib/flows/sessions/session-marker.ts";
import { eraseUser } from "../../../src/lib/flows/users/erase-user.ts";
import type { EraseUserContext } from "../../../src/lib/flows/users/erasure.ts";
import { sessionKey, type SessionIdentity } from "../../../src/lib/session/session-log-api.ts";
import { expectOk, rowsIn, statement } from "../../support/database.ts";
import { CrashPoint } from "./crashing.ts";
import type { World } from "./world.ts";

const REQUESTED_BY = "key-of-admin";

/** Logs of sessions, as far as an erasure sees them: the last seq of each, and what happens when one is erased. */
export class Logs {
  readonly lastSeqs = new Map<string, number>();
  onErase: () => Promise<void> = async () => undefined;

  /** Opens a session with its marker. */
  async open(world: World, session: SessionIdentity, lastSeq: number): Promise<void> {
    const { tenantId, userId, sessionId } = session;
    const marker = {
      version: 1 as const,
      tenant_id: tenantId,
      user_id: userId,
      session_id: sessionId,
      source: "session",
    };
    expectOk(await createMarker(world.bucket, { ...marker, opened_at: new Date(world.nowMs).toISOString() }));
    this.lastSeqs.set(sessionKey(session), lastSeq);
  }

  of(session: SessionIdentity): ReturnType<EraseUserContext["sessionLog"]> {
    const key = sessionKey(session);
    return {
      describe: async () => {
        const durable = this.lastSeqs.get(key);
        if (durable === undefined) return null;
        const seqs = { received: durable, durable, queued: durable, embedded: 0, sealed: 0 };
        const times = { openedAtMs: 0, lastEventAtMs: null, leaseExpiresAtMs: 0 };
        return { ...session, ...times, source: "", state: "open", seqs, refusedCount: 0, segments: [], pending: [] };
      },
      erase: async () => {
        await this.onErase();
        const lastSeq = this.lastSeqs.get(key) ?? 0;
        this.lastSeqs.delete(key);
        return { lastSeq };
      },
    };
  }
}

export function erasureContext(world: World, logs: Logs, crash = new CrashPoint(undefined)): EraseUserContext {
  return {
    ...world.context(crash),
    log: { error: () => undefined },
    sessionGate: () => crash.wrap({ release: async () => undefined }),
    sessionLog: (session) => crash.wrap(logs.of(session)),
  };
}

type Reply = ErasureCertificate | ErasureProgress;

export async function eraseOnce(
  world: World,
  user: { readonly tenantId: string; readonly userId: string },
  more: { readonly logs?: Logs; readonly crash?: CrashPoint; readonly unitsMax?: number } = {},
): Promise<Reply> {
  const context = erasureContext(world, more.logs ?? new Logs(), more.crash);
  const budget = { timeMsMax: 600_000, unitsMax: more.unitsMax ?? 1_000 };
  return expectOk(await eraseUser(context, { ...user, requestedBy: REQUESTED_BY }, budget));
}

/** Requests of one erasure. */
const REQUESTS_MAX = 200;

/** Asks until there is a certificate. */
export async function eraseWhole(...args: Parameters<typeof eraseOnce>): Promise<ErasureCertificate> {
  for (let count = 0; count < REQUESTS_MAX; count += 1) {
    const reply = await eraseOnce(...args);
    if (!("done" in reply)) return reply;
  }
  throw new Error("the erasure does not end");
}

const TABLES = [
  "documents",
  "doc_embeddings",
  "document_signatures",
  "signature_bands",
  "receipts",
  "quarantine",
  "profiles",
  "sessions",
  "artifacts",
  "artifact_members",
] as const;

/** Everything in the store that is not the user's, by table: rows of others, of the tenant, and of other tenants. */
export async function rowsOfOthers(world: World, userId: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const table of TABLES) {
    const text = `select count(*)::int as row_count, md5(string_agg(t::text, '|' order by t::text)) as hash from ${table} t
      where user_id not in ($1, '*')`;
    [found[table]] = await rowsIn(world.database.ownerSql, { tenantId: "", userId: "*" }, statement(text, userId));
  }
  return found;
}

/** Every object of the bucket in which the words stand, as far as msgpack and JSON leave them readable. */
export async function objectsWith(world: World, words: string): Promise<readonly string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.bucket.list(cursor === undefined ? {} : { cursor });
    for (const { key } of page.objects) {
      const object = await world.bucket.get(key);
      if ((await object?.text())?.includes(words) === true) keys.push(key);
    }
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  return keys;
}
