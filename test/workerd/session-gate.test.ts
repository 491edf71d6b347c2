import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { SessionGate } from "../../src/workers/objects/session-gate.ts";
import { suiteEnv } from "./support/worker.ts";

const SMALL = { MAX_ACTIVE_SESSIONS: "2", SESSION_TENANT_SHARE: "1", SESSION_LEASE_SECONDS: "60" };

/** A gate with real storage. Each call meets a new instance of the class on it, as after an eviction. */
function evictedGate(name: string, variables: Readonly<Record<string, string>> = SMALL) {
  const stub = suiteEnv().SESSION_GATE.getByName(name);
  return <T>(call: (gate: SessionGate) => Promise<T>): Promise<T> =>
    // The stub is one of the namespace; only the types of the suite's bindings hide it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    runInDurableObject(stub as unknown as DurableObjectStub<SessionGate>, (_, state) =>
      call(new SessionGate(state, Object.assign(Object.create(null), env, variables))),
    );
}

describe("the gate of sessions as an object", () => {
  it("forgets no lease, no ticket and no order over evictions", async () => {
    const gate = evictedGate("gate-evicted");
    const ask = (sessionKey: string, nowMs: number) =>
      gate((object) => object.admit({ sessionKey, tenantId: "acme", wait: true, nowMs }));
    expect(await ask("a", 1_000)).toEqual({ outcome: "admitted", expiresAtMs: 61_000, isNew: true });
    expect(await ask("b", 1_000)).toMatchObject({ outcome: "admitted" });
    expect(await ask("c", 1_001)).toMatchObject({ outcome: "waiting", number: 1, position: 1 });
    expect(await ask("d", 1_002)).toMatchObject({ outcome: "waiting", number: 2, position: 2 });
    expect(await ask("a", 2_000)).toMatchObject({ outcome: "admitted", isNew: false });
    await gate((object) => object.release({ sessionKey: "b" }));
    expect(await ask("d", 2_001)).toMatchObject({ outcome: "waiting", position: 2 });
    expect(await ask("c", 2_002)).toMatchObject({ outcome: "admitted" });
    expect(await gate((object) => object.describe({ nowMs: 2_003 }))).toEqual({ active: 2, waiting: 1 });
  });

  it("frees a place when its lease expires, and renews what is held only", async () => {
    const gate = evictedGate("gate-expiry", { ...SMALL, MAX_ACTIVE_SESSIONS: "1" });
    const ask = (sessionKey: string, nowMs: number) =>
      gate((object) => object.admit({ sessionKey, tenantId: "acme", wait: false, nowMs }));
    await ask("a", 0);
    expect(await gate((object) => object.renew({ sessionKey: "a", nowMs: 30_000 }))).toEqual({ expiresAtMs: 90_000 });
    expect(await ask("b", 89_000)).toEqual({ outcome: "refused", retryAfterMs: 1_000 });
    expect(await ask("b", 90_000)).toMatchObject({ outcome: "admitted" });
    expect(await gate((object) => object.renew({ sessionKey: "a", nowMs: 90_001 }))).toEqual({ gone: true });
  });

  it("answers as the bound object as it does alone", async () => {
    const gate = suiteEnv().SESSION_GATE.getByName("gate-bound");
    const request = { sessionKey: "a", tenantId: "acme", wait: false, nowMs: Date.now() };
    expect(await gate.admit(request)).toMatchObject({ outcome: "admitted", isNew: true });
    expect(await gate.admit(request)).toMatchObject({ outcome: "admitted", isNew: false });
    expect(await gate.describe({ nowMs: request.nowMs })).toEqual({ active: 1, waiting: 0 });
    await gate.release({ sessionKey: "a" });
    expect(await gate.describe({ nowMs: request.nowMs })).toEqual({ active: 0, waiting: 0 });
  });
});
