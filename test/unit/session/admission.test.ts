import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  admit,
  expire,
  NOBODY,
  release,
  type Admission,
  type AdmissionLimits,
  type AdmissionState,
} from "../../../src/lib/session/admission.ts";

const LIMITS: AdmissionLimits = { activeMax: 3, tenantActiveMax: 2, ticketsMax: 4, leaseMs: 1_000, ticketMs: 300 };

/** A gate with a clock that the test turns. */
class Gate {
  state: AdmissionState = NOBODY;
  nowMs = 0;

  ask(sessionKey: string, wait = true): Admission {
    const tenantId = sessionKey.slice(0, 1);
    const { state, admission } = admit(this.state, { sessionKey, tenantId, wait }, LIMITS, this.nowMs);
    this.state = state;
    return admission;
  }

  leave(sessionKey: string): void {
    this.state = release(this.state, sessionKey);
  }
}

describe("the gate of sessions", () => {
  it("admits up to the total, then lets wait in order or refuses, as asked", () => {
    const gate = new Gate();
    for (const key of ["a1", "b1", "c1"]) expect(gate.ask(key)).toMatchObject({ outcome: "admitted" });
    expect(gate.ask("d1")).toMatchObject({ outcome: "waiting", number: 1, position: 1 });
    expect(gate.ask("e1")).toMatchObject({ outcome: "waiting", number: 2, position: 2 });
    expect(gate.ask("f1", false)).toEqual({ outcome: "refused", retryAfterMs: 1_000 });
  });

  it("gives a lease that is given back to the first of the line, even when another asks before", () => {
    const gate = new Gate();
    for (const key of ["a1", "b1", "c1", "d1", "e1"]) gate.ask(key);
    gate.leave("b1");
    expect(gate.ask("e1")).toMatchObject({ outcome: "waiting", position: 2 });
    expect(gate.ask("x1", false)).toMatchObject({ outcome: "refused" });
    expect(gate.ask("d1")).toMatchObject({ outcome: "admitted" });
  });

  it("keeps a tenant to its share, and lets those behind pass it meanwhile", () => {
    const gate = new Gate();
    for (const key of ["a1", "a2"]) expect(gate.ask(key)).toMatchObject({ outcome: "admitted" });
    expect(gate.ask("a3")).toMatchObject({ outcome: "waiting", position: 1 });
    expect(gate.ask("b1")).toMatchObject({ outcome: "admitted" });
    gate.leave("a1");
    expect(gate.ask("a3")).toMatchObject({ outcome: "admitted" });
  });

  it("asked again renews a lease and keeps a place", () => {
    const gate = new Gate();
    for (const key of ["a1", "b1", "c1", "d1"]) gate.ask(key);
    gate.nowMs = 200;
    expect(gate.ask("a1")).toEqual({ outcome: "admitted", expiresAtMs: 1_200 });
    expect(gate.ask("d1")).toMatchObject({ outcome: "waiting", number: 1, position: 1 });
  });

  it("takes leases and places back from those who are no longer there", () => {
    const gate = new Gate();
    for (const key of ["a1", "b1", "c1", "d1", "e1"]) gate.ask(key);
    gate.nowMs = 250;
    gate.ask("e1");
    gate.nowMs = 400;
    expect(gate.ask("e1")).toMatchObject({ outcome: "waiting", position: 1 });
    gate.nowMs = 1_000;
    expect(gate.ask("e1")).toMatchObject({ outcome: "admitted" });
    expect(expire(gate.state, 1_000).leases).toHaveLength(1);
  });

  it("lets no more wait than its line holds", () => {
    const gate = new Gate();
    for (const key of ["a1", "b1", "c1", "d1", "e1", "f1", "g1"]) gate.ask(key);
    expect(gate.ask("h1")).toMatchObject({ outcome: "refused" });
    expect(gate.ask("g1")).toMatchObject({ outcome: "waiting", position: 4 });
  });

  it("holds its bounds, one place a session, and serves whoever keeps asking, in whatever order things happen", () => {
    const keys = ["a1", "a2", "a3", "b1", "b2", "c1", "d1"];
    const steps = fc.array(
      fc.record({
        act: fc.constantFrom("ask", "refuse", "leave"),
        key: fc.constantFrom(...keys),
        passMs: fc.nat({ max: 400 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, fc.constantFrom(...keys), (list, patient) => {
        const gate = new Gate();
        for (const { act, key, passMs } of list) {
          gate.nowMs += passMs;
          if (act === "leave") gate.leave(key);
          else gate.ask(key, act === "ask");
          const live = expire(gate.state, gate.nowMs);
          const held = [...live.leases, ...live.tickets].map((entry) => entry.sessionKey);
          expect(new Set(held).size).toBe(held.length);
          expect(live.leases.length).toBeLessThanOrEqual(LIMITS.activeMax);
          expect(live.tickets.length).toBeLessThanOrEqual(LIMITS.ticketsMax);
          const ofA = live.leases.filter((lease) => lease.tenantId === "a");
          expect(ofA.length).toBeLessThanOrEqual(LIMITS.tenantActiveMax);
        }
        let admission = gate.ask(patient);
        for (let round = 0; round < 30 && admission.outcome !== "admitted"; round++) {
          gate.nowMs += 200;
          admission = gate.ask(patient);
        }
        expect(admission.outcome).toBe("admitted");
      }),
    );
  });
});
