import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IngestAdmission, type AdmissionLimits, type Applicant } from "../../../src/lib/flows/ingest/admission.ts";

const LIMITS: AdmissionLimits = { requestsMax: 3, bytesMax: 100, backlogMax: 10 };
const small: Applicant = { bytes: 10, isDryRun: false };

function admission(limits: Partial<AdmissionLimits> = {}) {
  const world = { nowMs: 0, backlog: 0, looks: 0, isQueueDown: false };
  const readBacklog = async (): Promise<number> => {
    world.looks += 1;
    if (world.isQueueDown) throw new Error("no answer");
    return world.backlog;
  };
  const made = new IngestAdmission({ limits: { ...LIMITS, ...limits }, clock: () => world.nowMs, readBacklog });
  return { world, made };
}

describe("the admission of an isolate", () => {
  it("never has more requests or bytes in hand than it may, and has nothing left of those that ended", () => {
    const step = fc.oneof(fc.record({ bytes: fc.nat(60) }), fc.record({ end: fc.nat(5) }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { made } = admission({ backlogMax: undefined });
        let inHand: { bytes: number; release: () => void }[] = [];
        for (const taken of steps) {
          if ("end" in taken) {
            const ended = inHand[taken.end];
            ended?.release();
            ended?.release();
            inHand = inHand.filter((held) => held !== ended);
            continue;
          }
          const admitted = made.admit({ bytes: taken.bytes, isDryRun: false });
          const bytes = inHand.reduce((sum, held) => sum + held.bytes, 0);
          const fits = inHand.length < 3 && bytes + taken.bytes <= 100;
          expect(admitted.ok).toBe(fits);
          if (admitted.ok) inHand.push({ bytes: taken.bytes, release: admitted.value.release });
        }
      }),
    );
  });

  it("takes a single request of any size, since its own limits bound it", () => {
    const { made } = admission();
    expect(made.admit({ bytes: 1_000, isDryRun: false }).ok).toBe(true);
    expect(made.admit(small)).toMatchObject({ ok: false, error: { code: "rate_limited" } });
  });

  it("refuses while too many messages wait, counts what it took since it looked, and goes on when they are gone", async () => {
    const { world, made } = admission();
    world.backlog = 8;
    await made.lookSoon();
    const taken = [made.admit(small), made.admit(small)];
    for (const one of taken) if (one.ok) one.value.release();
    expect(taken.map(({ ok }) => ok)).toEqual([true, true]);
    expect(made.admit(small)).toMatchObject({ ok: false, error: { detail: "10 messages wait to be indexed" } });
    expect(made.admit({ ...small, isDryRun: true }).ok).toBe(true);
    world.nowMs = 1_000;
    world.backlog = 3;
    await made.lookSoon();
    expect(made.admit(small).ok).toBe(true);
  });

  it("looks at most once a second, and not at all without a bound", async () => {
    const { world, made } = admission();
    for (let atMs = 0; atMs < 3_000; atMs += 100) {
      world.nowMs = atMs;
      await made.lookSoon();
    }
    expect(world.looks).toBe(3);
    const unbound = admission({ backlogMax: undefined });
    await unbound.made.lookSoon();
    expect(unbound.world.looks).toBe(0);
  });

  it("takes requests while the queue does not answer, and when nobody has looked for long", async () => {
    const { world, made } = admission();
    world.backlog = 50;
    await made.lookSoon();
    expect(made.admit(small).ok).toBe(false);
    world.nowMs = 10_000;
    expect(made.admit(small).ok).toBe(true);
    await made.lookSoon();
    expect(made.admit(small).ok).toBe(false);
    world.nowMs = 11_000;
    world.isQueueDown = true;
    await made.lookSoon();
    expect(made.admit(small).ok).toBe(true);
  });
});
