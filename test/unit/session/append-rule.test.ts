import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeAppend } from "../../../src/lib/session/append-rule.ts";

const STORED = new Map([
  [3, "c"],
  [4, "d"],
]);
const state = { lastSeq: 4, hashOf: (seq: number): string | undefined => STORED.get(seq) };

describe("a frame that reaches the log of a session", () => {
  it.each([
    ["the next one is appended", 5, "e", { action: "append" }],
    ["the newest again is a repeat", 4, "d", { action: "repeat" }],
    ["an older one again is a repeat", 3, "c", { action: "repeat" }],
    ["one that was let go counts as a repeat", 1, "anything", { action: "repeat" }],
    ["another event under a taken seq is refused", 3, "x", { action: "refuse", code: "seq_conflict", expectedSeq: 5 }],
    ["a gap is refused with the seq that is expected", 7, "g", { action: "refuse", code: "seq_gap", expectedSeq: 5 }],
  ] as const)("%s", (_, seq, hash, judgement) => {
    expect(judgeAppend(state, seq, hash)).toEqual(judgement);
  });

  it("leaves one event at each seq, however frames are repeated and reordered", () => {
    const sendings = fc.array(fc.record({ seq: fc.integer({ min: 1, max: 6 }), hash: fc.constantFrom("a", "b") }));
    fc.assert(
      fc.property(sendings, (list) => {
        const log: string[] = [];
        for (const { seq, hash } of list) {
          const judged = judgeAppend({ lastSeq: log.length, hashOf: (at) => log[at - 1] }, seq, hash);
          if (judged.action === "append") log.push(hash);
          if (judged.action === "repeat") expect(log[seq - 1]).toBe(hash);
        }
        const firsts = Array.from(log, (_, index) => index + 1);
        expect(firsts.every((seq) => list.some((frame) => frame.seq === seq && frame.hash === log[seq - 1]))).toBe(
          true,
        );
      }),
    );
  });
});
