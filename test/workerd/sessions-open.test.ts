import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openedReplySchema, waitingReplySchema, type OpenedReply } from "../../src/lib/contract/session-opening.ts";
import { sessionMarkerKey } from "../../src/lib/session/session-keys.ts";
import type { OpenInput } from "../../src/lib/session/session-log-api.ts";
import type { Env } from "../../src/workers/env.ts";
import { SessionGate } from "../../src/workers/objects/session-gate.ts";
import { ask, makeKey, suiteEnv, type Reply } from "./support/worker.ts";

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

/** The log of sessions as a table of what was opened. */
function logOf(opened: OpenInput[]): Readonly<Record<string, unknown>> {
  const record = async (input: OpenInput) => {
    opened.push(input);
    return { ok: true, nextSeq: 1, openedAtMs: input.nowMs };
  };
  return { SESSION_LOG: { getByName: () => ({ open: record }) } };
}

const markerSchema = z.object({ session_id: z.string(), user_id: z.string(), tenant_id: z.string() });

describe("opening a session", () => {
  it("gives a token, a lease and the next seq, and leaves a marker", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const opened: OpenInput[] = [];
    const bindings = suiteEnv(logOf(opened));
    const reply = openedOf(await open(key, { session_id: "../a b", user_id: "ann" }, bindings));
    expect(reply).toMatchObject({ session_id: "../a b", user_id: "ann", next_seq: 1 });
    const session = { tenantId: "acme", userId: "ann", sessionId: "../a b" };
    const marker = await bindings.BUCKET.get(sessionMarkerKey(session));
    expect(markerSchema.parse(await marker?.json())).toEqual({
      tenant_id: "acme",
      user_id: "ann",
      session_id: "../a b",
    });
    const again = openedOf(await open(key, { session_id: "../a b", user_id: "ann" }, bindings));
    expect(again.next_seq).toBe(1);
    expect(opened).toMatchObject([session, session]);
  });

  it("refuses what no session may be", async () => {
    const { key: ann } = await makeKey("acme", ["ingest"], { userId: "ann" });
    const { key: reader } = await makeKey("acme", ["search"]);
    const bindings = suiteEnv(logOf([]));
    expect((await open(ann, { user_id: "bob" }, bindings)).body.code).toBe("user_forbidden");
    expect((await open(reader, {}, bindings)).body.code).toBe("scope_missing");
    expect((await open(ann, { session_id: "x".repeat(181) }, bindings)).body.code).toBe("body_invalid");
    expect((await open(ann, { session_id: "a", seq: 1 }, bindings)).body.code).toBe("body_invalid");
    const unconfigured = suiteEnv({ ...logOf([]), SESSION_SECRET: undefined });
    expect((await open(ann, {}, unconfigured)).body.code).toBe("sessions_not_configured");
  });

  it("is refused with Retry-After, or put in line, where no more can be open; and comes in its turn", async () => {
    const { key } = await makeKey("acme", ["ingest"]);
    const limits = { MAX_ACTIVE_SESSIONS: "2", SESSION_TENANT_SHARE: "1" };
    const bindings = Object.assign(envWithGate("gate-of-two", limits), logOf([]));
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
    await bindings.SESSION_GATE.getByName("gate").release({ sessionKey: '["acme","","a"]' });
    expect(await waiting("d")).toMatchObject({ position: 2 });
    openedOf(await open(key, { session_id: "c", wait: true }, bindings));
    expect(await waiting("d")).toMatchObject({ position: 1 });
  });
});
