import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  Admissions,
  type Admission,
  type AdmissionLimits,
  type Place,
  type Renewal,
} from "../../../src/lib/session/admission.ts";
import { PlainAdmission } from "./support/plain-admission.ts";

const LIMITS: AdmissionLimits = {
  activeMax: 3,
  tenantActiveMax: 2,
  ticketsMax: 4,
  tenantTicketsMax: 2,
  leaseMs: 1_000,
  ticketMs: 300,
};

/** A gate with a clock that the test turns, and a table of what it stored. Sessions of tenant "a" begin with an "a". */
class Gate {
  readonly stored = new Map<string, Place>();
  #admissions = new Admissions(LIMITS, []);
  nowMs = 0;

  ask(sessionKey: string, wait = true): Admission {
    const request = { sessionKey, tenantId: sessionKey.slice(0, 1), wait };
    const admission = this.#admissions.admit(request, this.nowMs);
    this.#store();
    return admission;
  }

  renew(sessionKey: string): Renewal {
    const renewal = this.#admissions.renew(sessionKey, this.nowMs);
    this.#store();
    return renewal;
  }

  leave(sessionKey: string): void {
    this.#admissions.release(sessionKey);
    this.#store();
  }

  counts(): { active: number; waiting: number } {
    const counts = this.#admissions.counts(this.nowMs);
    this.#store();
    return counts;
  }

  /** Forgets everything but what was stored, which comes back in an order of its own. */
  restart(): void {
    const places = [...this.stored.values()].sort((a, b) => (a.sessionKey < b.sessionKey ? -1 : 1));
    this.#admissions = new Admissions(LIMITS, places);
  }

  #store(): void {
    for (const { sessionKey, place } of this.#admissions.takeChanges()) {
      if (place === null) this.stored.delete(sessionKey);
      else this.stored.set(sessionKey, place);
    }
  }
}

describe("admission of sessions", () => {
  it("goes up to the total, then lets wait in order or refuses, as asked", () => {
    const gate = new Gate();
    for (const key of ["a1", "b1", "c1"]) expect(gate.ask(key)).toMatchObject({ outcome: "admitted", isNew: true });
    expect(gate.ask("d1")).toMatchObject({ outcome: "waiting", number: 1, position: 1 });
    expect(gate.ask("e1")).toMatchObject({ outcome: "waiting", number: 2, position: 2 });
    expect(gate.ask("f1", false)).toEqual({ outcome: "refused", retryAfterMs: 1_000 });
    expect(gate.counts()).toEqual({ active: 3, waiting: 2 });
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

  it("keeps no more places free for a tenant that waits than its share leaves it", () => {
    const gate = new Gate();
    for (const key of ["a1", "b1", "c1"]) gate.ask(key);
    for (const key of ["a2", "a3"]) expect(gate.ask(key)).toMatchObject({ outcome: "waiting" });
    for (const key of ["b1", "c1"]) gate.leave(key);
    expect(gate.ask("d1")).toMatchObject({ outcome: "admitted" });
    expect(gate.ask("e1")).toMatchObject({ outcome: "waiting", position: 3 });
    expect(gate.ask("a2")).toMatchObject({ outcome: "admitted" });
  });

  it("asked again renews a lease and keeps a place", () => {
    const gate = new Gate();
    for (const key of ["a1", "b1", "c1", "d1"]) gate.ask(key);
    gate.nowMs = 200;
    expect(gate.ask("a1")).toEqual({ outcome: "admitted", expiresAtMs: 1_200, isNew: false });
    expect(gate.ask("d1")).toMatchObject({ outcome: "waiting", number: 1, position: 1 });
  });

  it("renews a lease that is held and no other", () => {
    const gate = new Gate();
    gate.ask("a1");
    gate.nowMs = 900;
    expect(gate.renew("a1")).toEqual({ expiresAtMs: 1_900 });
    expect(gate.renew("b1")).toEqual({ gone: true });
    gate.nowMs = 1_900;
    expect(gate.renew("a1")).toEqual({ gone: true });
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
    expect(gate.stored.size).toBe(1);
  });

  it("lets no more wait than its line holds, nor one tenant fill it", () => {
    const gate = new Gate();
    for (const key of ["a1", "b1", "c1", "d1", "d2"]) gate.ask(key);
    expect(gate.ask("d3")).toMatchObject({ outcome: "refused" });
    for (const key of ["e1", "f1"]) expect(gate.ask(key)).toMatchObject({ outcome: "waiting" });
    expect(gate.ask("g1")).toMatchObject({ outcome: "refused" });
    expect(gate.ask("f1")).toMatchObject({ outcome: "waiting", position: 4 });
  });

  it("is not turned back by a clock that lags behind", () => {
    const gate = new Gate();
    gate.nowMs = 1_000;
    gate.ask("a1");
    gate.nowMs = 500;
    expect(gate.ask("b1")).toMatchObject({ expiresAtMs: 2_000 });
  });
});

const KEYS = ["a1", "a2", "a3", "b1", "b2", "c1", "d1", "d2"];
const steps = fc.array(
  fc.record({
    act: fc.constantFrom("ask", "ask", "refuse", "renew", "leave", "restart"),
    key: fc.constantFrom(...KEYS),
    passMs: fc.nat({ max: 400 }),
  }),
  { maxLength: 80 },
);

function outcomeOf(admission: Admission): string {
  return admission.outcome === "waiting" ? `waiting ${admission.position}` : admission.outcome;
}

describe("admission of sessions, in whatever order things happen", () => {
  it("agrees with the plain rules and holds its bounds, also over restarts", () => {
    fc.assert(
      fc.property(steps, (list) => {
        const gate = new Gate();
        const plain = new PlainAdmission(LIMITS);
        for (const { act, key, passMs } of list) {
          gate.nowMs += passMs;
          if (act === "restart") gate.restart();
          else if (act === "renew") expect("expiresAtMs" in gate.renew(key)).toBe(plain.renew(key, gate.nowMs));
          else if (act === "leave") {
            gate.leave(key);
            plain.release(key);
          } else {
            const request = { sessionKey: key, tenantId: key.slice(0, 1), wait: act === "ask" };
            expect(outcomeOf(gate.ask(key, request.wait))).toBe(plain.admit(request, gate.nowMs));
          }
          plain.expire(gate.nowMs);
          expect(gate.counts()).toEqual({ active: plain.leases.length, waiting: plain.tickets.length });
          expect(new Set(gate.stored.keys())).toEqual(
            new Set([...plain.leases, ...plain.tickets].map((place) => place.sessionKey)),
          );
          expect(plain.leases.length).toBeLessThanOrEqual(LIMITS.activeMax);
          expect(plain.leases.filter((lease) => lease.tenantId === "a").length).toBeLessThanOrEqual(2);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("serves whoever keeps asking", () => {
    fc.assert(
      fc.property(steps, fc.constantFrom(...KEYS), (list, patient) => {
        const gate = new Gate();
        for (const { act, key, passMs } of list) {
          gate.nowMs += passMs;
          if (act === "leave") gate.leave(key);
          else gate.ask(key, act !== "refuse");
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

  it("takes well under a millisecond with ten thousand leases and a thousand tickets", () => {
    const limits = { ...LIMITS, activeMax: 10_000, tenantActiveMax: 5_000, ticketsMax: 1_000, tenantTicketsMax: 500 };
    const lease = (i: number): Place => ({
      sessionKey: `s${i}`,
      tenantId: `t${i % 4}`,
      ticketNumber: null,
      expiresAtMs: 1e9,
    });
    const admissions = new Admissions(
      limits,
      Array.from({ length: 9_999 }, (_, i) => lease(i)),
    );
    for (let i = 0; i < 1_000; i++)
      admissions.admit({ sessionKey: `w${i}`, tenantId: `t${i % 4}`, wait: true }, i === 0 ? 2 : 1);
    admissions.takeChanges();
    const startedMs = performance.now();
    const calls = 1_000;
    for (let i = 0; i < calls; i++) {
      admissions.admit({ sessionKey: "w998", tenantId: "t2", wait: true }, 3);
      expect(admissions.takeChanges()).toHaveLength(1);
    }
    expect((performance.now() - startedMs) / calls).toBeLessThan(1);
  });
});
