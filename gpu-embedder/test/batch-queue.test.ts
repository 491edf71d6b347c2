import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchQueue, type BatchBudget, type QueueEntry } from "../src/engine/batch-queue.ts";

const BUDGET: BatchBudget = {
  tokensMax: 512,
  textsMax: 16,
  paddingShareMax: 0.1,
  paddingTokensFree: 16,
  unpaddedTokensEnough: 160,
};
const requests = fc.array(fc.array(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 30 }), {
  maxLength: 12,
});

function fill(lengths: readonly (readonly number[])[]): {
  queue: BatchQueue<string>;
  entries: readonly QueueEntry<string>[];
} {
  const queue = new BatchQueue<string>();
  const all: QueueEntry<string>[] = [];
  lengths.forEach((request, owner) => {
    const holder = { owner };
    const entries = request.map((tokenCount, index) => ({ tokenCount, owner: holder, value: `${owner}/${index}` }));
    queue.add(entries);
    all.push(...entries);
  });
  return { queue, entries: all };
}

function drain(queue: BatchQueue<string>): readonly (readonly QueueEntry<string>[])[] {
  const batches: (readonly QueueEntry<string>[])[] = [];
  for (let batch = queue.next(BUDGET); batch.length > 0; batch = queue.next(BUDGET)) batches.push(batch);
  return batches;
}

test("every text is in exactly one batch", () => {
  fc.assert(
    fc.property(requests, (lengths) => {
      const { queue, entries } = fill(lengths);
      const given = drain(queue)
        .flat()
        .map((entry) => entry.value);
      expect(given.toSorted()).toEqual(entries.map((entry) => entry.value).toSorted());
      expect([queue.textCount, queue.tokenCount]).toEqual([0, 0]);
    }),
  );
});

test("no batch exceeds its tokens, its texts or its padding, unless one text alone does", () => {
  fc.assert(
    fc.property(requests, (lengths) => {
      for (const batch of drain(fill(lengths).queue)) {
        const longest = Math.max(...batch.map((entry) => entry.tokenCount));
        const padded = longest * batch.length;
        const padding = padded - batch.reduce((sum, entry) => sum + entry.tokenCount, 0);
        expect(batch.length).toBeLessThanOrEqual(BUDGET.textsMax);
        expect(batch.length === 1 || padded <= BUDGET.tokensMax).toBe(true);
        expect(padding).toBeLessThanOrEqual(Math.max(BUDGET.paddingTokensFree, padded * BUDGET.paddingShareMax));
      }
    }),
  );
});

test("a batch of one length with tokens enough takes no text of another length, a smaller one does", () => {
  const lengthsOf = (queue: BatchQueue<string>): readonly number[] =>
    queue.next(BUDGET).map((entry) => entry.tokenCount);
  expect(lengthsOf(fill([[80, 80, 79, 78]]).queue)).toEqual([80, 80]);
  expect(lengthsOf(fill([[50, 50, 49, 49]]).queue)).toEqual([50, 50, 49, 49]);
});

test("a small request is served among the first while a huge one waits", () => {
  const { queue } = fill([Array.from({ length: 500 }, (_, index) => 100 + (index % 50)), [7]]);
  const firstTwo = [...queue.next(BUDGET), ...queue.next(BUDGET)];
  expect(firstTwo.map((entry) => entry.value)).toContain("1/0");
});

test("the texts of a request that was taken back are never given out", () => {
  fc.assert(
    fc.property(requests, fc.nat(11), (lengths, which) => {
      const { queue, entries } = fill(lengths);
      const owner = entries.find((entry) => entry.value.startsWith(`${which}/`))?.owner;
      if (owner !== undefined) queue.remove(owner);
      const left = entries.filter((entry) => entry.owner !== owner);
      expect(queue.textCount).toBe(left.length);
      expect(drain(queue).flat().length).toBe(left.length);
    }),
  );
});
