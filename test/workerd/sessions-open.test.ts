import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { Authenticator, FRESH_MS } from "../../src/lib/auth/authenticator.ts";
import { sealWriteToken } from "../../src/lib/auth/write-token.ts";
import { sha256HexSync } from "../../src/lib/base/hash.ts";
import { findKey } from "../../src/lib/flows/keys/find-key.ts";
import { revokeKey } from "../../src/lib/flows/keys/manage-keys.ts";
import { openedReplySchema, waitingReplySchema, type OpenedReply } from "../../src/lib/contract/session-opening.ts";
import { sessionMarkerKey } from "../../src/lib/session/session-keys.ts";
import type { Env } from "../../src/workers/env.ts";
import { SessionGate } from "../../src/workers/objects/session-gate.ts";
import { ask, makeKey, suiteEnv, suiteSql, type Reply } from "./support/worker.ts";

/** The suite's bindings with a gate of its own that has these limits, on real storage; each call meets a new instance, as after an eviction. */
function envWithGate(name: string, variables: Readonly<Record<string, string>>): Env {
  const stub = suiteEnv().SESSION_GATE.getByName(name);
  const onGate = <T>(call: (gate: SessionGate) => Promise<T>): Promise<T> =>
    // The stub is one of the namespace; only the types of the suite's bindings hide it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    runInDurableObject(stub as unknown as DurableObjectStub<SessionGate>, (_, state) =>
      call(new SessionGate(state, Object.assign(Object.create(null), env, variables))),
    );
  return suiteEnv({
    SESSION_GATE: {
      getByName: () => ({
        admit: (request: Parameters<SessionGate["admit"]>[0]) => onGate((gate) => gate.admit(request)),
        renew: (lease: Parameters<SessionGate["renew"]>[0]) => onGate((gate) => gate.renew(lease)),
        release: (lease: Parameters<SessionGate["release"]>[0]) => onGate((gate) => gate.release(lease)),
      }),
    },
  });
}

function open(key: string, body: Readonly<Record<string, unknown>> = {}, bindings?: Env): Promise<Reply> {
  const headers = { "content-type": "application/json" };
  return ask("/v1/sessions", { method: "POST", key, headers, body: JSON.stringify(body) }, bindings);
}

function openedOf(reply: Reply): OpenedReply {
  expect(reply.status).toBe(201);
  return openedReplySchema.parse(reply.json);
}

/** Sends one message as a line. */
function say(credential: string, session: OpenedReply, { seq, path }: { seq: number; path?: string }): Promise<Reply> {
  const line = JSON.stringify({
    seq,
    at_ms: 1_700_000_000_000,
    role: "user",
    text: `The ${seq}. thing that Ann says about her garden in Graz.`,
  });
  return ask(path ?? `/v1/sessions/${encodeURIComponent(session.session_id)}/frames`, {
    method: "POST",
    key: credential,
    headers: { "content-type": "application/x-ndjson" },
    body: line,
  });
}

const markerSchema = z.object({ session_id: z.string(), user_id: z.string(), tenant_id: z.string() });

describe("opening a session", () => {
  it("gives a token, a lease and the next seq, and leaves a marker; again it goes on", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const body = { session_id: "../a b", user_id: "ann" };
    const opened = openedOf(await open(key, body));
    expect(opened).toMatchObject({ session_id: "../a b", user_id: "ann", next_seq: 1 });
    const session = { tenantId: "acme", userId: "ann", sessionId: "../a b" };
    const marker = await suiteEnv().BUCKET.get(sessionMarkerKey(session));
    expect(markerSchema.parse(await marker?.json())).toEqual({
      tenant_id: "acme",
      user_id: "ann",
      session_id: "../a b",
    });
    expect(openedOf(await open(key, body)).next_seq).toBe(1);
    expect((await say(opened.write_token, opened, { seq: 1 })).json).toMatchObject({ ack: 1 });
    expect(openedOf(await open(key, body)).next_seq).toBe(2);
  });

  it("makes an id where none is given, and knows sessions of one id under two users apart", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    expect(openedOf(await open(key)).session_id).toMatch(/^[0-9A-Z]{26}$/);
    const ann = openedOf(await open(key, { session_id: "same", user_id: "ann" }));
    const bob = openedOf(await open(key, { session_id: "same", user_id: "bob" }));
    await say(ann.write_token, ann, { seq: 1 });
    expect((await say(bob.write_token, bob, { seq: 2 })).json).toMatchObject({
      ack: 0,
      frames: [{ status: "refused", code: "seq_gap", expected_seq: 1 }],
    });
  });

  it("refuses what no session may be", async () => {
    const { key: ann } = await makeKey("acme", ["ingest"], { userId: "ann" });
    const { key: reader } = await makeKey("acme", ["search"]);
    expect((await open(ann, { user_id: "bob" })).body.code).toBe("user_forbidden");
    expect((await open(reader)).body.code).toBe("scope_missing");
    expect((await open(ann, { session_id: "x".repeat(181) })).body.code).toBe("body_invalid");
    expect((await open(ann, { session_id: "a", seq: 1 })).body.code).toBe("body_invalid");
    const unconfigured = suiteEnv({ SESSION_SECRET: undefined });
    expect((await open(ann, {}, unconfigured)).body.code).toBe("sessions_not_configured");
  });

  it("is refused with Retry-After, or put in line, where no more can be open; and comes in its turn", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const bindings = envWithGate("gate-of-two", { MAX_ACTIVE_SESSIONS: "2", SESSION_TENANT_SHARE: "1" });
    for (const session_id of ["a", "b"]) openedOf(await open(key, { session_id }, bindings));
    const full = await open(key, { session_id: "c" }, bindings);
    expect([full.status, full.body.code]).toEqual([429, "sessions_full"]);
    expect(Number(full.headers.get("retry-after"))).toBeGreaterThan(0);
    const waiting = async (session_id: string) => {
      const reply = await open(key, { session_id, wait: true }, bindings);
      expect(reply.status).toBe(202);
      expect(reply.headers.get("retry-after")).not.toBeNull();
      return waitingReplySchema.parse(reply.json);
    };
    expect(await waiting("c")).toMatchObject({ session_id: "c", ticket: 1, position: 1 });
    expect(await waiting("d")).toMatchObject({ session_id: "d", ticket: 2, position: 2 });
    expect(await waiting("c")).toMatchObject({ ticket: 1, position: 1 });
    openedOf(await open(key, { session_id: "a" }, bindings));
    expect((await ask("/v1/sessions/a", { method: "DELETE", key }, bindings)).json).toMatchObject({ done: true });
    expect(await waiting("d")).toMatchObject({ position: 2 });
    openedOf(await open(key, { session_id: "c", wait: true }, bindings));
    expect(await waiting("d")).toMatchObject({ position: 1 });
  });

  it("keeps a tenant to its share while others still get in", async () => {
    const { key: acme } = await makeKey("acme", ["ingest"]);
    const { key: globex } = await makeKey("globex", ["ingest"]);
    const bindings = envWithGate("gate-of-shares", { MAX_ACTIVE_SESSIONS: "4", SESSION_TENANT_SHARE: "0.5" });
    for (const session_id of ["a", "b"]) openedOf(await open(acme, { session_id }, bindings));
    expect((await open(acme, { session_id: "c" }, bindings)).body.code).toBe("sessions_full");
    openedOf(await open(globex, { session_id: "a" }, bindings));
  });

  it("gives the place back that a failed opening took", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const gated = envWithGate("gate-of-one", { MAX_ACTIVE_SESSIONS: "1", SESSION_TENANT_SHARE: "1" });
    const dead = Object.assign(Object.create(null), gated, {
      SESSION_LOG: { getByName: () => ({ open: async () => Promise.reject(new Error("the object was moved")) }) },
    });
    expect((await open(key, { session_id: "a" }, dead)).body.code).toBe("sessions_unavailable");
    openedOf(await open(key, { session_id: "b" }, gated));
  });
});

describe("a write token", () => {
  const openedWith = async (more: Parameters<typeof makeKey>[2] = {}) => {
    const made = await makeKey("acme", ["ingest"], more);
    const opened = openedOf(await open(made.key, { session_id: `talk-${made.summary.key_id}`, user_id: "ann" }));
    return { ...made, opened };
  };

  it("writes to its own session and does nothing else", async () => {
    const { key, opened } = await openedWith();
    const token = opened.write_token;
    expect((await say(token, opened, { seq: 1 })).json).toMatchObject({ ack: 1, frames: [{ status: "appended" }] });
    const other = openedOf(await open(key, { session_id: "another", user_id: "ann" }));
    expect((await say(token, other, { seq: 1 })).body.code).toBe("token_other_session");
    const asBob = `/v1/sessions/${opened.session_id}/frames?user_id=bob`;
    expect((await say(token, opened, { seq: 2, path: asBob })).body.code).toBe("token_other_session");
    expect((await open(token)).body.code).toBe("key_malformed");
    const erased = await ask(`/v1/sessions/${opened.session_id}`, { method: "DELETE", key: token });
    expect(erased.body.code).toBe("key_malformed");
    expect((await ask("/v1/batches", { key: token })).body.code).toBe("key_malformed");
  });

  it("does not open when it was changed, is of another secret, or is over", async () => {
    const { opened, key } = await openedWith();
    const token = opened.write_token;
    const changed = `${token.slice(0, -2)}${token.at(-2) === "A" ? "B" : "A"}${token.at(-1)}`;
    expect((await say(changed, opened, { seq: 1 })).body.code).toBe("token_invalid");
    expect((await say(token.slice(0, -1), opened, { seq: 1 })).body.code).toBe("token_malformed");
    const parts = { tenantId: "acme", userId: "ann", sessionId: opened.session_id, keyHash: sha256HexSync(key) };
    const seal = (expiresAtMs: number, secret = "secret-of-the-sessions-of-the-tests") =>
      sealWriteToken({ ...parts, expiresAtMs }, secret);
    expect((await say(seal(Date.now() + 60_000, "x".repeat(32)), opened, { seq: 1 })).body.code).toBe("token_invalid");
    expect((await say(seal(Date.now() - 1), opened, { seq: 1 })).body.code).toBe("token_expired");
    expect((await say(seal(Date.now() + 60_000), opened, { seq: 1 })).status).toBe(200);
  });

  it("of a key of another tenant or user is none, even where the secret sealed it", async () => {
    const { opened } = await openedWith();
    const { key: foreign } = await makeKey("globex", ["ingest"]);
    const { key: bob } = await makeKey("acme", ["ingest"], { userId: "bob" });
    for (const key of [foreign, bob]) {
      const parts = { tenantId: "acme", userId: "ann", sessionId: opened.session_id, keyHash: sha256HexSync(key) };
      const forged = sealWriteToken(
        { ...parts, expiresAtMs: Date.now() + 60_000 },
        "secret-of-the-sessions-of-the-tests",
      );
      expect((await say(forged, opened, { seq: 1 })).body.code).toBe("token_invalid");
    }
  });

  it("ends with its key, in every isolate within ten seconds", async () => {
    const { opened, key, summary } = await openedWith();
    const keyHash = sha256HexSync(key);
    let nowMs = Date.now();
    const isolate = new Authenticator({
      findKey: (hash) => findKey([suiteSql()], hash),
      copies: suiteEnv().API_KEYS,
      clock: () => nowMs,
    });
    const check = async () => {
      const found = await isolate.authenticateHash(keyHash, (work) => void work.catch(() => undefined));
      return found.ok ? found.value.tenantId : found.error;
    };
    expect(await check()).toBe("acme");
    const context = { sql: suiteSql(), clock: Date.now, copies: suiteEnv().API_KEYS };
    expect((await revokeKey(context, "acme", summary.key_id)).ok).toBe(true);
    nowMs += FRESH_MS;
    expect(await check()).toBe("key_revoked");
    // An isolate that never saw the key: its bindings are new.
    expect((await say(opened.write_token, opened, { seq: 1 })).body.code).toBe("key_revoked");
  });

  it("may be replaced by an API key of its user or tenant, and by no other", async () => {
    const { opened, key } = await openedWith();
    const { key: ann } = await makeKey("acme", ["ingest"], { userId: "ann" });
    const { key: bob } = await makeKey("acme", ["ingest"], { userId: "bob" });
    const { key: foreign } = await makeKey("globex", ["ingest"]);
    const { key: reader } = await makeKey("acme", ["search"]);
    const path = `/v1/sessions/${opened.session_id}/frames`;
    const asAnn = `${path}?user_id=ann`;
    expect((await say(ann, opened, { seq: 1 })).json).toMatchObject({ ack: 1 });
    expect((await say(key, opened, { seq: 2, path: asAnn })).json).toMatchObject({ ack: 2 });
    expect((await say(key, opened, { seq: 3 })).body.code).toBe("session_unknown");
    expect((await say(bob, opened, { seq: 3, path: asAnn })).body.code).toBe("user_forbidden");
    expect((await say(bob, opened, { seq: 3 })).body.code).toBe("session_unknown");
    expect((await say(foreign, opened, { seq: 3, path: asAnn })).body.code).toBe("session_unknown");
    expect((await say(reader, opened, { seq: 3, path: asAnn })).body.code).toBe("scope_missing");
    expect((await say(key, opened, { seq: 3, path: `${path}?user_id=*` })).body.code).toBe("parameter_invalid");
  });

  it("goes on after its session was erased only with a session that was opened anew", async () => {
    const { opened, key } = await openedWith();
    await say(opened.write_token, opened, { seq: 1 });
    const path = `/v1/sessions/${opened.session_id}?user_id=ann`;
    expect((await ask(path, { method: "DELETE", key })).json).toMatchObject({ done: true, event_count: 1 });
    expect((await say(opened.write_token, opened, { seq: 2 })).body.code).toBe("session_unknown");
    const again = openedOf(await open(key, { session_id: opened.session_id, user_id: "ann" }));
    expect(again.next_seq).toBe(1);
    expect((await say(again.write_token, again, { seq: 1 })).json).toMatchObject({ ack: 1 });
  });
});
