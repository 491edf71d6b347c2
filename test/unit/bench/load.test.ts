import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { poissonArrivalsMs } from "../../../bench/load/arrivals.ts";
import { judgeLevel, normalAgainSecond } from "../../../bench/load/judge-level.ts";
import { niceCeiling, timeTicks } from "../../../bench/load/line-chart.ts";
import { passagesOf, LoadSource } from "../../../bench/load/load-source.ts";
import { phaseFigures } from "../../../bench/load/phase-figures.ts";
import type { Ended } from "../../../bench/load/recount.ts";
import type { Sent } from "../../../bench/load/send-document.ts";
import { sendAt } from "../../../bench/load/send-phases.ts";
import { seriesValue } from "../../../bench/load/watch-stack.ts";
import { SeededRandom } from "../../support/seeded-random.ts";

const SEARCHABLE_BOUND_MS = 5_000;

describe("arrivals", () => {
  it("are those of a Poisson process, the same for the same seed", () => {
    const random = new SeededRandom(7);
    const arrivals = poissonArrivalsMs(20, 500, () => random.next());
    const again = new SeededRandom(7);
    expect(poissonArrivalsMs(20, 500, () => again.next())).toEqual(arrivals);
    expect(arrivals).toEqual(arrivals.toSorted((a, b) => a - b));
    // Of 10,000 expected arrivals five standard deviations are 500; the gaps scatter as much as their mean.
    expect(Math.abs(arrivals.length - 10_000)).toBeLessThan(500);
    const gaps = arrivals.slice(1).map((atMs, index) => atMs - (arrivals[index] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(deviation / mean).toBeGreaterThan(0.95);
    expect(deviation / mean).toBeLessThan(1.05);
  });
});

describe("documents of a load", () => {
  it("hold all of a text, each ending with a sentence", () => {
    const sentence = fc.constantFrom("One is here. ", "Two follow! ", "Is this the third? ");
    fc.assert(
      fc.property(fc.array(sentence, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 100 }), (all, min) => {
        const text = all.join("");
        const passages = passagesOf(text, min);
        expect(passages.join("")).toBe(text);
        for (const passage of passages) expect(passage.trimEnd()).toMatch(/[.!?]$/);
        if (text.length >= min) for (const passage of passages) expect(passage.length).toBeGreaterThanOrEqual(min);
      }),
    );
  });

  it("never come twice to one tenant", async () => {
    const texts = [{ id: "a", text: "First one. Second one. Third one." }];
    const source = new LoadSource(texts, { charactersMin: 5, keyOf: async (tenantId) => `key of ${tenantId}` });
    await source.prepare(7);
    const given = Array.from({ length: 7 }, () => source.next());
    expect(new Set(given.map(({ key, text }) => `${key} ${text}`)).size).toBe(7);
    expect(new Set(given.map(({ key }) => key)).size).toBe(3);
  });
});

describe("an open loop", () => {
  it("sends each document at its moment while none is answered, and counts from that moment", async () => {
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const planned: number[] = [];
    const sender = {
      send: async (_document: unknown, plannedAtMs: number): Promise<Sent> => {
        planned.push(plannedAtMs);
        await answered;
        return sentAt(plannedAtMs);
      },
    };
    const startAtMs = performance.timeOrigin + performance.now();
    const source = { next: () => ({ key: "", id: "", text: "" }) };
    const arrivals = [0, 5, 10, 15, 20];
    const sending = sendAt({ sender, source, onSent: () => undefined }, arrivals, startAtMs);
    await expect.poll(() => planned.length).toBe(5);
    expect(planned).toEqual(arrivals.map((atMs) => startAtMs + atMs));
    answer();
    await sending;
  });
});

describe("a level", () => {
  const steady = Array.from({ length: 60 }, (_, index) => 5 + (index % 3));
  const facts = {
    backlog: steady,
    arrivals: 300,
    turnedAway: 0,
    searchableP95Ms: 900,
    searchableBoundMs: SEARCHABLE_BOUND_MS,
  };

  it("holds while all is accepted, the backlog stays and documents are soon searchable", () => {
    expect(judgeLevel(facts)).toEqual({ holds: true, reasons: [] });
  });

  it.each([
    ["a request is turned away", { turnedAway: 1 }],
    ["documents are late", { searchableP95Ms: SEARCHABLE_BOUND_MS + 1 }],
    ["nothing is indexed", { searchableP95Ms: null }],
    ["the backlog grows", { backlog: steady.map((_, index) => index) }],
  ])("bends when %s", (_name, change) => {
    const { holds, reasons } = judgeLevel({ ...facts, ...change });
    expect(holds).toBe(false);
    expect(reasons).toHaveLength(1);
  });

  it("holds although its first half built a backlog up that stays", () => {
    const backlog = steady.map((_, index) => Math.min(index, 20));
    expect(judgeLevel({ ...facts, backlog }).holds).toBe(true);
  });
});

describe("the way back", () => {
  const bounds = { acceptBelowMs: 100, searchableBelowMs: 1_000 };
  const probe = (second: number, searchableMs: number | null) => ({ second, acceptMs: 20, searchableMs });

  it("ends with the first of five probes in a row that are as before", () => {
    const times = [9_000, 4_000, 500, 2_000, 500, 600, 700, 500, 600];
    expect(
      normalAgainSecond(
        times.map((ms, second) => probe(second, ms)),
        bounds,
      ),
    ).toBe(4);
  });

  it("has no end where there are no five", () => {
    const times = [500, 500, 500, 500, null, 500];
    expect(
      normalAgainSecond(
        times.map((ms, second) => probe(second, ms)),
        bounds,
      ),
    ).toBeNull();
  });
});

function sentAt(plannedAtMs: number, more: Partial<Sent> = {}): Sent {
  const accepted = { status: 202, retryAfter: null, token: `token-${plannedAtMs}`, verdict: "accepted" };
  return { key: "", text: "", plannedAtMs, repliedAtMs: plannedAtMs + 10, ...accepted, ...more };
}

describe("the figures of a phase", () => {
  const refused = { status: 429, token: null, verdict: null } as const;
  const sent = [
    sentAt(1_000),
    sentAt(2_000),
    sentAt(3_000, { ...refused, retryAfter: "2" }),
    sentAt(4_000, refused),
    sentAt(5_000, { status: 500, token: null, verdict: null }),
    sentAt(6_000, { status: "none", token: null, verdict: null }),
  ];
  const end: Ended = { outcome: "indexed", chunkCount: 4, reusedCount: 0, appliedAtMs: 2_500 };
  const phase = phaseFigures(
    {
      name: "one",
      kind: "overload",
      ratePerSecond: 1,
      startAtMs: 1_000,
      sent,
      ended: [end, ...sent.slice(1).map(() => undefined)],
      searches: [],
      verified: { asked: 0, held: 0 },
    },
    0,
    SEARCHABLE_BOUND_MS,
  );

  it("call an accepted request lost that has no end, and tell all others apart", () => {
    expect(phase.lost).toBe(1);
    expect(phase.requests).toEqual({
      sent: 6,
      accepted: 2,
      refused: 2,
      refusedWithoutRetryAfter: 1,
      other: 1,
      unanswered: 1,
    });
    expect(phase.outcomes).toEqual({ indexed: 1 });
  });

  it("count latencies from the planned moment, and what waits by the second", () => {
    expect(phase.searchable).toMatchObject({ count: 1, p50: 1_500 });
    expect(phase.seconds.map(({ backlog }) => backlog)).toEqual([1, 1, 1, 1, 1, 1]);
    expect(phase.seconds.reduce((sum, { chunks }) => sum + chunks, 0)).toBe(4);
  });
});

describe("the page", () => {
  it("has axes that divide well and hold every value", () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e9, noNaN: true }), (value) => {
        expect(niceCeiling(value)).toBeGreaterThanOrEqual(value * 0.999999);
        expect(niceCeiling(value)).toBeLessThanOrEqual(value * 2.1);
      }),
    );
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40_000 }), (seconds) => {
        expect(timeTicks(seconds).length).toBeLessThanOrEqual(13);
        expect(timeTicks(seconds).at(-1)).toBeLessThanOrEqual(seconds);
      }),
    );
  });
});

describe("a series of Prometheus' text", () => {
  it("is found by its whole name and labels", () => {
    const text = 'a_total 5\nqueue_backlog_messages{queue="embed"} 12\nqueue_backlog_messages{queue="seal"} 3\n';
    expect(seriesValue(text, 'queue_backlog_messages{queue="seal"}')).toBe(3);
    expect(seriesValue(text, "queue_backlog")).toBeNull();
  });
});
