import { beforeEach, describe, expect, inject, it } from "vitest";
import { Authenticator, FRESH_MS } from "../../src/lib/auth/authenticator.ts";
import { makeApiKey } from "../../src/lib/auth/api-key.ts";
import { COPY_AGE_MS_MAX } from "../../src/lib/auth/key-copies.ts";
import { err } from "../../src/lib/base/result.ts";
import { DEFAULT_POLICY } from "../../src/lib/contract/policy.ts";
import { createNeonSql } from "../../src/lib/db/neon-sql.ts";
import type { Sql } from "../../src/lib/db/sql.ts";
import { findKey } from "../../src/lib/flows/keys/find-key.ts";
import { revokeKey, rotateKey } from "../../src/lib/flows/keys/manage-keys.ts";
import { ask, ingest, keysContext, makeKey, suiteEnv, suiteSql } from "./support/worker.ts";

const { API_KEYS } = suiteEnv();
const sql = suiteSql();
const deadSql = createNeonSql({
  connectionString: "postgresql://nobody:x@127.0.0.1/none",
  fetchEndpoint: "http://127.0.0.1:9/sql",
  timeoutMs: 500,
});

let nowMs = 0;
let queries = 0;
let background: Promise<unknown>[] = [];
const clock = () => nowMs;
const inBackground = (work: Promise<unknown>) => void background.push(work);
const settle = async () => {
  while (background.length > 0) await Promise.all(background.splice(0));
};

/** An isolate: an authenticator of its own over the real database, or a dead one. */
class Isolate extends Authenticator {
  constructor(database: () => Sql) {
    super({
      findKey: (keyHash) => {
        queries++;
        return findKey([database()], keyHash);
      },
      copies: API_KEYS,
      clock,
    });
  }

  async check(key: string): Promise<string> {
    const result = await this.authenticate(`Bearer ${key}`, inBackground);
    return result.ok ? result.value.tenantId : result.error;
  }
}
const isolate = (database: () => Sql = () => sql) => new Isolate(database);

beforeEach(() => {
  nowMs = Date.now();
  queries = 0;
  background = [];
});

describe("a key", () => {
  it("decides tenant, user and scopes, and is looked up once in ten seconds", async () => {
    const { key, summary } = await makeKey("acme", ["ingest", "search"], { userId: "ann" });
    const one = isolate();
    const result = await one.authenticate(`Bearer ${key}`, inBackground);
    expect(result).toEqual({
      ok: true,
      value: {
        keyId: summary.key_id,
        tenantId: "acme",
        userId: "ann",
        scopes: ["ingest", "search"],
        expiresAtMs: null,
        policy: DEFAULT_POLICY,
        policyVersion: 0,
      },
    });
    for (let i = 0; i < 5; i++) expect(await one.check(key)).toBe("acme");
    expect(queries).toBe(1);
  });

  it("is asked for once by many requests at a time", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const one = isolate();
    const answers = await Promise.all(Array.from({ length: 20 }, () => one.check(key)));
    expect(new Set(answers)).toEqual(new Set(["acme"]));
    expect(queries).toBe(1);
  });

  it("is stored as a hash only", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const { ownerConnectionString, endpointUrl } = inject("provided");
    const owner = createNeonSql({
      connectionString: ownerConnectionString,
      fetchEndpoint: endpointUrl,
      timeoutMs: 10_000,
    });
    const rows = await owner.query({ text: "select row_to_json(k)::text as stored from api_keys k", params: [] });
    expect(rows.ok && rows.value.length > 0).toBe(true);
    expect(JSON.stringify(rows)).not.toContain(key.slice(8));
  });

  it("is refused without a look-up when its checksum is wrong", async () => {
    const key = makeApiKey((bytes) => void crypto.getRandomValues(bytes));
    const wrong = key.slice(0, 10) + (key[10] === "a" ? "b" : "a") + key.slice(11);
    expect(await isolate().check(wrong)).toBe("key_malformed");
    expect(queries).toBe(0);
  });

  it("that nobody made costs one query, then none for some seconds", async () => {
    const one = isolate();
    const key = makeApiKey((bytes) => void crypto.getRandomValues(bytes));
    expect(await one.check(key)).toBe("key_unknown");
    expect(await one.check(key)).toBe("key_unknown");
    expect(queries).toBe(1);
  });

  it("stops working when it expires, also out of the cache", async () => {
    const { key } = await makeKey("acme", ["ingest"], { expiresAtMs: nowMs + 3_000 });
    const one = isolate();
    expect(await one.check(key)).toBe("acme");
    nowMs += 3_001;
    expect(await one.check(key)).toBe("key_expired");
    expect(queries).toBe(1);
  });
});

describe("a revocation", () => {
  it("is effective after ten seconds in every isolate, busy or not", async () => {
    const { key, summary } = await makeKey("acme", ["ingest"]);
    const busy = isolate();
    const idle = isolate();
    expect([await busy.check(key), await idle.check(key)]).toEqual(["acme", "acme"]);
    expect((await revokeKey({ sql, clock, copies: API_KEYS }, "acme", summary.key_id)).ok).toBe(true);
    for (let second = 1; second < FRESH_MS / 1000; second++) {
      nowMs += 1_000;
      await busy.check(key);
      await settle();
    }
    nowMs += 1_000;
    expect([await busy.check(key), await idle.check(key)]).toEqual(["key_revoked", "key_revoked"]);
  });

  it("reaches a busy isolate without any request waiting: the key is asked for again before its ten seconds are over", async () => {
    const { key, summary } = await makeKey("acme", ["ingest"]);
    const one = isolate();
    await one.check(key);
    await revokeKey({ sql, clock, copies: API_KEYS }, "acme", summary.key_id);
    nowMs += 6_000;
    expect(await one.check(key)).toBe("acme");
    await settle();
    expect(await one.check(key)).toBe("key_revoked");
    expect(queries).toBe(2);
  });

  it("of another tenant's key does nothing", async () => {
    const { key, summary } = await makeKey("acme", ["ingest"]);
    expect(await revokeKey({ sql, clock, copies: API_KEYS }, "globex", summary.key_id)).toEqual(
      err({ code: "key_unknown" }),
    );
    expect(await isolate().check(key)).toBe("acme");
  });
});

describe("when Postgres cannot be asked", () => {
  const copied = async (more = {}) => {
    const made = await makeKey("acme", ["ingest"], more);
    await isolate().check(made.key);
    await settle();
    return made;
  };

  it("the last known good copy in KV serves, in an isolate that never saw the key", async () => {
    const { key } = await copied();
    expect(await isolate(() => deadSql).check(key)).toBe("acme");
  });

  it("a key without a copy is unavailable, not unauthorized", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    expect(await isolate(() => deadSql).check(key)).toBe("database_unavailable");
  });

  it("a copy older than a day is not believed, and an expiry still holds", async () => {
    const { key } = await copied();
    const { key: expiring } = await copied({ expiresAtMs: nowMs + 60_000 });
    nowMs += 61_000;
    expect(await isolate(() => deadSql).check(expiring)).toBe("key_expired");
    nowMs += COPY_AGE_MS_MAX;
    expect(await isolate(() => deadSql).check(key)).toBe("database_unavailable");
  });

  it("a revoked key stays revoked", async () => {
    const { key, summary } = await copied();
    await revokeKey({ sql, clock, copies: API_KEYS }, "acme", summary.key_id);
    expect(await isolate(() => deadSql).check(key)).toBe("key_revoked");
  });

  it("documents are still accepted", async () => {
    const { key } = await copied();
    const bindings = suiteEnv({ SQL_FETCH_ENDPOINT: "http://127.0.0.1:9/sql" });
    const reply = await ingest(
      key,
      { documents: [{ id: "a", text: "Postgres is down and memory goes on." }] },
      {},
      bindings,
    );
    expect(reply.status).toBe(202);
  });

  it("it is asked again, and believed again, once it is back", async () => {
    const { key } = await copied();
    let isUp = false;
    const one = isolate(() => (isUp ? sql : deadSql));
    expect(await one.check(key)).toBe("acme");
    isUp = true;
    nowMs += FRESH_MS + 1;
    expect(await one.check(key)).toBe("acme");
    expect(queries).toBe(3);
  });
});

describe("a rotation", () => {
  it("leaves both keys valid in the overlap, and the new one after it", async () => {
    const { key, summary } = await makeKey("acme", ["ingest"], { userId: "ann", label: "app" });
    const rotated = await rotateKey(keysContext(), { tenantId: "acme", keyId: summary.key_id, overlapSeconds: 60 });
    if (!rotated.ok) throw new Error(rotated.error.code);
    expect(rotated.value.summary).toMatchObject({ user_id: "ann", label: "app", scopes: ["ingest"] });
    const one = isolate();
    expect([await one.check(key), await one.check(rotated.value.key)]).toEqual(["acme", "acme"]);
    nowMs = Date.now() + 61_000;
    expect([await one.check(key), await one.check(rotated.value.key)]).toEqual(["key_expired", "acme"]);
  });

  it("happens once, also when two are asked for at a time", async () => {
    const { summary } = await makeKey("acme", ["ingest"]);
    const rotation = { tenantId: "acme", keyId: summary.key_id, overlapSeconds: 60 };
    const results = await Promise.all([rotateKey(keysContext(), rotation), rotateKey(keysContext(), rotation)]);
    expect(results.map((result) => (result.ok ? "made" : result.error.code)).sort()).toEqual(["conflict", "made"]);
  });
});

describe("the admin routes", () => {
  it("make, list, rotate and revoke keys of the own tenant; a key is shown once", async () => {
    const { key: admin } = await makeKey("initech", ["admin"]);
    const post = (path: string, body: unknown) =>
      ask(path, {
        method: "POST",
        key: admin,
        body: JSON.stringify(body),
        headers: { "content-type": "application/json" },
      });
    const made = await post("/v1/admin/keys", { scopes: ["ingest"], label: "app", user_id: "ann" });
    expect(made.status).toBe(201);
    const rotated = await post(`/v1/admin/keys/${made.body.key_id}/rotate`, { overlap_seconds: 60 });
    expect(rotated.status).toBe(201);
    const listed = await ask("/v1/admin/keys", { key: admin });
    expect(listed.body.keys.map((one) => one.key_id)).toEqual(
      expect.arrayContaining([made.body.key_id, rotated.body.key_id]),
    );
    expect(listed.text).not.toContain(made.body.key);
    const revoked = await ask(`/v1/admin/keys/${made.body.key_id}`, { method: "DELETE", key: admin });
    expect(revoked.json).toEqual({ key_id: made.body.key_id, copy_revoked: true });
    expect((await ingest(made.body.key, { documents: [{ id: "a", text: "hello" }] })).body.code).toBe("key_revoked");
  });

  it("never touch another tenant's key, and refuse an admin bound to a user", async () => {
    const { key: admin } = await makeKey("initech", ["admin"]);
    const { summary } = await makeKey("acme", ["ingest"]);
    expect((await ask(`/v1/admin/keys/${summary.key_id}`, { method: "DELETE", key: admin })).status).toBe(404);
    const bound = await ask("/v1/admin/keys", {
      method: "POST",
      key: admin,
      body: JSON.stringify({ scopes: ["admin"], user_id: "ann" }),
      headers: { "content-type": "application/json" },
    });
    expect(bound.json).toMatchObject({ status: 422, code: "body_invalid", pointer: "/scopes" });
  });
});
