import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DAY_MS } from "../../../src/lib/base/durations.ts";
import type { Candidate } from "../../../src/lib/retrieve/candidate.ts";
import { rankUnion, type UnionOptions } from "../../../src/lib/retrieve/union.ts";

const base: UnionOptions = {
  k: 10,
  fusion: "convex",
  lexicalWeight: 0.4,
  smoothing: null,
  conversation: false,
  tierWeights: {},
  halfLifeDays: null,
  nowMs: Date.UTC(2026, 10, 23),
  query: "anything at all",
  diversity: 0,
};

const DIRECTIONS = [0, 0.3, 0.6, 1.5, 3].map((angle) => Float32Array.of(Math.cos(angle), Math.sin(angle)));
const TIERS = ["event", "summary", "doc", "profile", "artifact"];
const score = (max: number): fc.Arbitrary<number | null> =>
  fc.oneof(fc.double({ min: 0, max, noNaN: true }), fc.constant(null));
const session = fc.constantFrom("s", "t");
const seq = fc.integer({ min: 1, max: 6 });
const turn = fc.record({ session, seq, speaker: fc.constantFrom("Ann", "Ben", "") });
const summarises = fc.record({ session, seqs: fc.array(seq, { maxLength: 4 }) });
const candidates: fc.Arbitrary<Candidate[]> = fc.uniqueArray(
  fc.record({
    turn: fc.oneof(turn, fc.constant(null)),
    summarises: fc.oneof(summarises, fc.constant(null)),
    key: fc.string({ minLength: 1, maxLength: 6 }),
    tier: fc.constantFrom(...TIERS),
    documentKey: fc.constantFrom("a", "b", "c"),
    startOffset: fc.integer({ min: 0, max: 50 }),
    endOffset: fc.integer({ min: 51, max: 100 }),
    text: fc.string({ maxLength: 3 }),
    vectorScore: score(1),
    lexicalScore: score(30),
    occurredAtMs: fc.oneof(fc.integer({ min: 0, max: base.nowMs }), fc.constant(null)),
    vector: fc.oneof(fc.constantFrom(...DIRECTIONS), fc.constant(null)),
  }),
  { selector: (item) => item.key, maxLength: 30 },
);
const options: fc.Arbitrary<UnionOptions> = fc.record({
  k: fc.integer({ min: 1, max: 12 }),
  fusion: fc.constantFrom("convex", "rrf"),
  lexicalWeight: fc.double({ min: 0, max: 1, noNaN: true }),
  smoothing: fc.constantFrom(null, 0.4),
  conversation: fc.boolean(),
  tierWeights: fc.dictionary(fc.constantFrom(...TIERS), fc.double({ min: 0, max: 2, noNaN: true })),
  halfLifeDays: fc.oneof(fc.constant(null), fc.double({ min: 0.1, max: 1_000, noNaN: true })),
  nowMs: fc.constant(base.nowMs),
  query: fc.oneof(fc.string({ maxLength: 8 }), fc.constantFrom("What did Ann say in May 1970?", "yesterday")),
  diversity: fc.constantFrom(0, 0.3),
});

function candidate(key: string, rest: Partial<Candidate>): Candidate {
  return {
    key,
    tier: "doc",
    documentKey: key,
    startOffset: 0,
    endOffset: 10,
    text: `text ${key}`,
    vectorScore: 0,
    lexicalScore: 0,
    occurredAtMs: null,
    vector: null,
    turn: null,
    summarises: null,
    ...rest,
  };
}

function said(key: string, seqOfTurn: number, rest: Partial<Candidate>): Candidate {
  return candidate(key, { tier: "event", turn: { session: "s", seq: seqOfTurn, speaker: "Ann" }, ...rest });
}

const keysOf = (hits: readonly { readonly candidate: Candidate }[]): string[] => hits.map((hit) => hit.candidate.key);

describe("rankUnion", () => {
  it("does not depend on the order of the candidates", () => {
    fc.assert(
      fc.property(candidates, options, fc.array(fc.nat(), { minLength: 30, maxLength: 30 }), (list, chosen, random) => {
        const shuffled = list
          .map((item, index) => [random[index] ?? 0, item] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, item]) => item);
        expect(rankUnion(shuffled, chosen)).toEqual(rankUnion(list, chosen));
      }),
    );
  });

  it("returns at most k of the given candidates, no candidate and no text twice, finite scores", () => {
    fc.assert(
      fc.property(candidates, options, (list, chosen) => {
        const hits = rankUnion(list, chosen);
        expect(hits.length).toBeLessThanOrEqual(chosen.k);
        expect(new Set(keysOf(hits)).size).toBe(hits.length);
        expect(new Set(hits.map((hit) => hit.candidate.text)).size).toBe(hits.length);
        for (const hit of hits) {
          expect(list).toContain(hit.candidate);
          expect(Number.isFinite(hit.score)).toBe(true);
        }
      }),
    );
  });

  it("leaves out what no part speaks for, and only that", () => {
    fc.assert(
      fc.property(candidates, options, (list, chosen) => {
        for (const { parts } of rankUnion(list, chosen)) {
          const bonuses = parts.speaker + parts.nextTurn + parts.session + parts.recency + parts.exactMatch;
          expect(parts.smoothed + bonuses + parts.timeWindow).toBeGreaterThan(0);
        }
      }),
    );
    const unlike = candidate("unlike", { vectorScore: -0.06 });
    expect(rankUnion([unlike], base)).toEqual([]);
    expect(keysOf(rankUnion([unlike, candidate("like", { vectorScore: 0.01 })], base))).toEqual(["like"]);
  });

  it("puts scores in falling order when nothing else is asked for", () => {
    fc.assert(
      fc.property(candidates, options, (list, chosen) => {
        const scores = rankUnion(list, { ...chosen, diversity: 0 }).map((hit) => hit.score);
        expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      }),
    );
  });

  it("gives the first hits of a longer answer as the shorter answer", () => {
    fc.assert(
      fc.property(candidates, options, (list, chosen) => {
        const longer = rankUnion(list, { ...chosen, k: 30 });
        const told = (hits: typeof longer): unknown =>
          hits.map(({ candidate: { key }, score: value, parts }) => ({ key, value, parts }));
        expect(told(rankUnion(list, chosen))).toEqual(told(longer.slice(0, chosen.k)));
      }),
    );
  });

  it("never ranks a candidate lower for a better score of one side", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 9, noNaN: true })), {
          minLength: 2,
          maxLength: 12,
        }),
        fc.boolean(),
        (scores, conversation) => {
          const list = scores.map(([vectorScore, lexicalScore], index) =>
            said(String(index).padStart(2, "0"), index + 1, { vectorScore, lexicalScore }),
          );
          const [first, ...others] = list;
          if (first === undefined) return;
          const rankOf = (item: Candidate): number =>
            keysOf(rankUnion([item, ...others], { ...base, conversation, k: 20 })).indexOf(first.key);
          // Up to the best score of the side the scale stays.
          const best = (of: (item: Candidate) => number | null): number =>
            Math.max(...list.map((item) => of(item) ?? 0));
          const better = { ...first, vectorScore: best((item) => item.vectorScore) };
          expect(rankOf(better)).toBeLessThanOrEqual(rankOf(first));
          expect(rankOf({ ...first, lexicalScore: best((item) => item.lexicalScore) })).toBeLessThanOrEqual(
            rankOf(first),
          );
        },
      ),
    );
  });

  it("keeps the margins: a clear winner of one side beats two middling ones", () => {
    const list = [
      candidate("clear", { vectorScore: 0.9, lexicalScore: 1 }),
      candidate("middling", { vectorScore: 0.4, lexicalScore: 6 }),
      candidate("words", { vectorScore: 0.1, lexicalScore: 8 }),
    ];
    expect(keysOf(rankUnion(list, base))[0]).toBe("clear");
  });

  it("ranks by the one side that has scores when the other has none", () => {
    const list = [
      candidate("a", { vectorScore: null, lexicalScore: 2 }),
      candidate("b", { vectorScore: null, lexicalScore: 4 }),
    ];
    const hits = rankUnion(list, base);
    expect(hits.map((hit) => [hit.candidate.key, hit.score])).toEqual([
      ["b", 1],
      ["a", 0.5],
    ]);
  });

  it("fuses by reciprocal ranks when asked to", () => {
    const list = [
      candidate("both", { vectorScore: 0.5, lexicalScore: 5 }),
      candidate("vector", { vectorScore: 0.9, lexicalScore: 0 }),
      candidate("word", { vectorScore: 0, lexicalScore: 9 }),
    ];
    const [first] = rankUnion(list, { ...base, fusion: "rrf" });
    expect(first?.candidate.key).toBe("both");
    expect(first?.score).toBeCloseTo(((1 / 62 + 1 / 62) * 61) / 2, 12);
  });

  it("weighs tiers, prefers fresh chunks by half-life, and gives a bonus to the query word for word", () => {
    const equal = { vectorScore: 0.5, lexicalScore: 3 };
    const weighed = rankUnion([candidate("a", equal), candidate("b", { ...equal, tier: "summary" })], {
      ...base,
      tierWeights: { summary: 1.5 },
    });
    expect(keysOf(weighed)).toEqual(["b", "a"]);
    const day = DAY_MS;
    const aged = [
      candidate("a", { ...equal, occurredAtMs: base.nowMs - 60 * day }),
      candidate("b", { ...equal, occurredAtMs: base.nowMs - 30 * day }),
    ];
    const fresh = rankUnion(aged, { ...base, halfLifeDays: 30 });
    expect(fresh.map((hit) => [hit.candidate.key, hit.parts.recency])).toEqual([
      ["b", 0.1],
      ["a", 0.05],
    ]);
    const phrase = [
      candidate("a", { ...equal, text: "other words" }),
      candidate("b", { ...equal, text: "They said: Boundary\nLayer!" }),
    ];
    expect(keysOf(rankUnion(phrase, { ...base, query: "boundary layer?" }))).toEqual(["b", "a"]);
  });

  it("moves a score towards those of its neighbours in meaning, and copies of one text do not vote for each other", () => {
    const [here = null, near = null, , , far = null] = DIRECTIONS;
    const list = [
      candidate("best", { vectorScore: 0.9, vector: here }),
      candidate("near", { vectorScore: 0.5, vector: near }),
      candidate("far", { vectorScore: 0.55, vector: far }),
    ];
    expect(keysOf(rankUnion(list, base))).toEqual(["best", "far", "near"]);
    expect(keysOf(rankUnion(list, { ...base, smoothing: 0.4 }))).toEqual(["best", "near", "far"]);
    const copies = [
      candidate("a", { vectorScore: 0.5, vector: here, text: "same" }),
      candidate("b", { vectorScore: 0.9, vector: here, text: "same" }),
    ];
    expect(rankUnion(copies, { ...base, smoothing: 0.4 }).map((hit) => hit.score)).toEqual([1]);
  });

  it("lets no neighbours pull down a chunk that holds the query word for word", () => {
    const [here = null, , , , far = null] = DIRECTIONS;
    const neighbours = ["v", "w", "x", "y", "z"].map((key) => candidate(key, { vectorScore: 0.3, vector: here }));
    const list = [
      candidate("quoted", { vectorScore: 1, vector: here, text: "He said: the ice kept us for weeks." }),
      candidate("rival", { vectorScore: 0.9, vector: far }),
      ...neighbours,
    ];
    const asked = (query: string): string | undefined => keysOf(rankUnion(list, { ...base, smoothing: 0.4, query }))[0];
    expect(asked("frozen in at sea")).toBe("rival");
    expect(asked("the ice kept us")).toBe("quoted");
  });

  it("drops a chunk that a better one of its document covers by more than half", () => {
    const list = [
      candidate("a", { documentKey: "d", startOffset: 0, endOffset: 100, vectorScore: 0.9 }),
      candidate("b", { documentKey: "d", startOffset: 40, endOffset: 140, vectorScore: 0.8 }),
      candidate("c", { documentKey: "d", startOffset: 60, endOffset: 160, vectorScore: 0.7 }),
      candidate("d", { documentKey: "e", startOffset: 40, endOffset: 140, vectorScore: 0.6 }),
    ];
    expect(keysOf(rankUnion(list, base))).toEqual(["a", "c", "d"]);
  });

  it("lets further hits of a document yield when diversity is asked for", () => {
    const list = [
      candidate("a1", { documentKey: "a", startOffset: 0, endOffset: 10, vectorScore: 1 }),
      candidate("a2", { documentKey: "a", startOffset: 10, endOffset: 20, vectorScore: 0.9 }),
      candidate("b1", { documentKey: "b", vectorScore: 0.8 }),
    ];
    expect(keysOf(rankUnion(list, base))).toEqual(["a1", "a2", "b1"]);
    expect(keysOf(rankUnion(list, { ...base, diversity: 0.3 }))).toEqual(["a1", "b1", "a2"]);
  });

  it("leaves a tier of weight 0 out, as if it were not there", () => {
    fc.assert(
      fc.property(candidates, options, (list, chosen) => {
        const without = { ...chosen, tierWeights: { ...chosen.tierWeights, event: 0 } };
        const others = list.filter(({ tier }) => tier !== "event");
        expect(rankUnion(list, without)).toEqual(rankUnion(others, without));
      }),
    );
  });

  it("collapses without a loss: each candidate is a hit or stands with a better one", () => {
    fc.assert(
      fc.property(candidates, options, (drawn, chosen) => {
        // Both sides speak for each: what nothing speaks for is left out before anything collapses.
        const list = drawn.map((each) => ({
          ...each,
          vectorScore: (each.vectorScore ?? 0) + 0.01,
          lexicalScore: (each.lexicalScore ?? 0) + 0.01,
        }));
        const hits = rankUnion(list, { ...chosen, k: 30, diversity: 0 });
        const weighed = list.filter(({ tier }) => (chosen.tierWeights[tier] ?? 1) > 0);
        const collapsed = hits.flatMap((hit) => hit.collapsed.map((each) => each.candidate.key));
        expect(new Set([...keysOf(hits), ...collapsed]).size).toBe(weighed.length);
        expect(hits.length + collapsed.length).toBe(weighed.length);
        const alone = { ...chosen, k: 1, diversity: 0 };
        if (weighed.length > 0) expect(hits[0]?.score).toBe(rankUnion(list, alone)[0]?.score);
      }),
    );
  });

  it("shows an event or the summary that holds it, whichever is better, and says what it stands for", () => {
    const summary = (vectorScore: number): Candidate =>
      candidate("summary", { tier: "summary", vectorScore, summarises: { session: "s", seqs: [2, 5] } });
    const list = [said("second", 2, { vectorScore: 0.6 }), said("third", 3, { vectorScore: 0.5 })];
    const better = rankUnion([...list, summary(0.9)], base);
    expect(keysOf(better)).toEqual(["summary", "third"]);
    expect(better[0]?.collapsed.map(({ candidate: { key }, reason }) => [key, reason])).toEqual([
      ["second", "summary"],
    ]);
    expect(keysOf(rankUnion([...list, summary(0.3)], base))).toEqual(["second", "third"]);
    const elsewhere = candidate("other", {
      tier: "summary",
      vectorScore: 0.9,
      summarises: { session: "t", seqs: [2, 5] },
    });
    expect(keysOf(rankUnion([...list, elsewhere], base))).toEqual(["other", "second", "third"]);
  });

  it("adds what a turn's speaker, the turn after it and its session say, and names each part", () => {
    const list = [
      said("question", 1, { vectorScore: 0.5, turn: { session: "s", seq: 1, speaker: "Ben" } }),
      said("answer", 2, { vectorScore: 1 }),
      candidate("doc", { vectorScore: 0.5 }),
    ];
    const parts = new Map(
      rankUnion(list, { ...base, conversation: true, query: "What does Ben like?" }).map((hit) => [
        hit.candidate.key,
        hit.parts,
      ]),
    );
    expect(parts.get("question")).toMatchObject({ speaker: 0.15, nextTurn: 0.15, session: 0.2 * 0.3 });
    expect(parts.get("answer")).toMatchObject({ speaker: 0, nextTurn: 0, session: 0.2 * 0.3 });
    expect(parts.get("doc")).toMatchObject({ speaker: 0, nextTurn: 0, session: 0 });
  });

  it("prefers the time that the query speaks of", () => {
    const list = [
      candidate("a", { vectorScore: 0.5, occurredAtMs: Date.UTC(2023, 2, 8) }),
      candidate("b", { vectorScore: 0.5, occurredAtMs: Date.UTC(2023, 4, 8) }),
    ];
    const hits = rankUnion(list, { ...base, query: "What happened in May 2023?" });
    expect(hits.map((hit) => [hit.candidate.key, hit.parts.timeWindow])).toEqual([
      ["b", 0.1],
      ["a", 0],
    ]);
  });

  it("lets further turns of a session yield when diversity is asked for", () => {
    const list = [
      said("s1", 1, { vectorScore: 1 }),
      said("s2", 2, { vectorScore: 0.9 }),
      candidate("t1", { vectorScore: 0.8, turn: { session: "t", seq: 1, speaker: "" } }),
    ];
    expect(keysOf(rankUnion(list, { ...base, diversity: 0.3 }))).toEqual(["s1", "t1", "s2"]);
  });

  it("gives the scores of README's worked example", () => {
    const may = Date.UTC(2023, 4, 20);
    const list = [
      said("event 7", 7, { vectorScore: 0.48, lexicalScore: 6, occurredAtMs: may }),
      said("event 8", 8, {
        vectorScore: 0.6,
        lexicalScore: 10,
        occurredAtMs: may,
        turn: { session: "s", seq: 8, speaker: "Ben" },
      }),
      candidate("summary", {
        tier: "summary",
        vectorScore: 0.54,
        lexicalScore: 5,
        occurredAtMs: may,
        summarises: { session: "s", seqs: [7] },
      }),
      candidate("document", { vectorScore: 0.3, lexicalScore: 4 }),
    ];
    const hits = rankUnion(list, { ...base, conversation: true, query: "What did Ann plan in May 2023?" });
    expect(hits.map((hit) => [hit.candidate.key, hit.score.toFixed(3)])).toEqual([
      ["event 7", "1.189"],
      ["event 8", "1.169"],
      ["document", "0.460"],
    ]);
    expect(hits[0]?.collapsed.map((each) => each.candidate.key)).toEqual(["summary"]);
  });
});
