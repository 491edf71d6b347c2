/**
 * From a credential to a principal. The chain: isolate cache, Postgres, and, when Postgres cannot be asked, the last known good copy in KV.
 * What was looked up is believed for ten seconds: that is how long a revoked key can still work while Postgres is up.
 */
import type { KVNamespace } from "@cloudflare/workers-types";
import type { Clock } from "../base/clock.ts";
import { sha256HexSync } from "../base/hash.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { KeyRecord } from "../contract/key-record.ts";
import type { Principal } from "../contract/principal.ts";
import type { ProblemCode } from "../contract/problem.ts";
import { isApiKey } from "./api-key.ts";
import { readKeyCopy, refreshKeyCopy } from "./key-copies.ts";
import { LruMap } from "./lru-map.ts";

/** Age at which a looked up key is no longer believed, milliseconds: the promise about revocation. */
export const FRESH_MS = 10_000;
/** Age from which a key in use is looked up again in the background, so that no request of a busy key waits for Postgres. */
const REFRESH_AFTER_MS = 5_000;
/** How long an unknown key stays unknown: long enough to take the load off Postgres, short enough for a key just made. */
const UNKNOWN_FRESH_MS = 3_000;
/** Entries of one isolate. A record has about 2 KB, most of it policy; strangers cannot push known keys out, they have a map of their own. */
const KNOWN_KEYS_MAX = 10_000;
const UNKNOWN_KEYS_MAX = 2_000;
/** How long a request waits for the look-up that another request started, milliseconds: that one may have been cancelled with its client. */
const SHARED_LOOKUP_MS_MAX = 4_000;

export type AuthFailure = Extract<
  ProblemCode,
  "unauthenticated" | "key_malformed" | "key_unknown" | "key_revoked" | "key_expired" | "database_unavailable"
>;

/** Runs work that outlives the request, as `ExecutionContext.waitUntil` does. */
export type InBackground = (work: Promise<unknown>) => void;

export interface AuthenticatorContext {
  /** The record in Postgres; `undefined` when there is none; an error when Postgres cannot tell. */
  readonly findKey: (keyHash: string) => Promise<Result<KeyRecord | undefined, unknown>>;
  readonly copies: KVNamespace;
  readonly clock: Clock;
}

interface Entry {
  readonly record: KeyRecord;
  readonly checkedAtMs: number;
}

type Lookup = Result<KeyRecord | undefined, "database_unavailable">;

const BEARER = /^Bearer +(\S+) *$/i;

/** The credential of an Authorization header. */
export function bearerOf(authorization: string | null): string | undefined {
  return authorization === null ? undefined : BEARER.exec(authorization)?.[1];
}

/** Authenticates the requests of one isolate. */
export class Authenticator {
  readonly #context: AuthenticatorContext;
  readonly #known = new LruMap<string, Entry>(KNOWN_KEYS_MAX);
  readonly #unknown = new LruMap<string, number>(UNKNOWN_KEYS_MAX);
  readonly #lookups = new Map<string, Promise<Lookup>>();

  constructor(context: AuthenticatorContext) {
    this.#context = context;
  }

  /**
   * `authorization` is the header's value. Every failure is about the credential, except `database_unavailable`: nothing can be known of the
   * key now.
   */
  async authenticate(
    authorization: string | null,
    inBackground: InBackground,
  ): Promise<Result<Principal, AuthFailure>> {
    const key = bearerOf(authorization);
    if (key === undefined) return err("unauthenticated");
    return isApiKey(key) ? this.authenticateHash(sha256HexSync(key), inBackground) : err("key_malformed");
  }

  /** The same for who proves otherwise that the key with this hash (64 hexadecimal characters) was used: a write token. */
  async authenticateHash(keyHash: string, inBackground: InBackground): Promise<Result<Principal, AuthFailure>> {
    const nowMs = this.#context.clock();
    const entry = this.#known.get(keyHash);
    if (entry !== undefined && nowMs - entry.checkedAtMs < FRESH_MS) {
      if (nowMs - entry.checkedAtMs >= REFRESH_AFTER_MS) void this.#lookUp(keyHash, inBackground);
      return principalOf(entry.record, nowMs);
    }
    const unknownSinceMs = this.#unknown.get(keyHash);
    if (unknownSinceMs !== undefined && nowMs - unknownSinceMs < UNKNOWN_FRESH_MS) return err("key_unknown");
    const found = await this.#sharedLookUp(keyHash, inBackground);
    if (!found.ok) return found;
    return found.value === undefined ? err("key_unknown") : principalOf(found.value, this.#context.clock());
  }

  // Concurrent requests with one key share one query.
  async #sharedLookUp(keyHash: string, inBackground: InBackground): Promise<Lookup> {
    const running = this.#lookups.get(keyHash);
    if (running === undefined) return this.#lookUp(keyHash, inBackground);
    const { promise: patience, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), SHARED_LOOKUP_MS_MAX);
    const shared = await Promise.race([running, patience]);
    clearTimeout(timer);
    if (shared !== undefined) return shared;
    if (this.#lookups.get(keyHash) === running) this.#lookups.delete(keyHash);
    return this.#lookUp(keyHash, inBackground);
  }

  #lookUp(keyHash: string, inBackground: InBackground): Promise<Lookup> {
    const running = this.#lookups.get(keyHash);
    if (running !== undefined) return running;
    const work = this.#findAndRemember(keyHash, inBackground).finally(() => {
      if (this.#lookups.get(keyHash) === work) this.#lookups.delete(keyHash);
    });
    this.#lookups.set(keyHash, work);
    // Kept alive when the client that started it goes away, because others may be waiting for it.
    inBackground(work);
    return work;
  }

  async #findAndRemember(keyHash: string, inBackground: InBackground): Promise<Lookup> {
    // The answer is as old as the question: a revocation committed in between must not be believed away for longer than promised.
    const askedAtMs = this.#context.clock();
    const found = await this.#context.findKey(keyHash);
    if (!found.ok) return this.#findCopy(keyHash, askedAtMs);
    if (found.value === undefined) {
      this.#known.delete(keyHash);
      this.#unknown.set(keyHash, askedAtMs);
      return ok(undefined);
    }
    this.#known.set(keyHash, { record: found.value, checkedAtMs: askedAtMs });
    const copy = { version: 1 as const, record: found.value, checked_at_ms: askedAtMs };
    inBackground(refreshKeyCopy(this.#context.copies, keyHash, copy).catch(() => undefined));
    return ok(found.value);
  }

  async #findCopy(keyHash: string, askedAtMs: number): Promise<Lookup> {
    try {
      const copy = await readKeyCopy(this.#context.copies, keyHash, askedAtMs);
      if (copy === undefined) return err("database_unavailable");
      this.#known.set(keyHash, { record: copy.record, checkedAtMs: askedAtMs });
      return ok(copy.record);
    } catch {
      return err("database_unavailable");
    }
  }
}

function principalOf(record: KeyRecord, nowMs: number): Result<Principal, AuthFailure> {
  if (record.revoked_at_ms !== null) return err("key_revoked");
  if (record.expires_at_ms !== null && nowMs >= record.expires_at_ms) return err("key_expired");
  return ok({
    keyId: record.key_id,
    tenantId: record.tenant_id,
    userId: record.user_id,
    scopes: record.scopes,
    expiresAtMs: record.expires_at_ms,
    policy: record.policy,
    policyVersion: record.policy_version,
  });
}
