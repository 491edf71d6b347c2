import fc from "fast-check";
import { expect, test } from "vitest";
import { indexRanges } from "../src/http/index-ranges.ts";
import { Metrics } from "../src/http/metrics.ts";

function bucketsOf(text: string, name: string): readonly number[] {
  return [...text.matchAll(new RegExp(`^${name}_bucket\\{le="[^"]+"\\} (\\d+)$`, "gmu"))].map((match) =>
    Number(match[1]),
  );
}

test("buckets are cumulative, the last one is the count, and the sum is that of the values", () => {
  const value = fc.record({ value: fc.integer({ min: 1, max: 5_000_000 }), times: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 20 }), (values) => {
      const metrics = new Metrics();
      for (const each of values) metrics.observe("te_batch_next_tokens", each.value, each.times);
      const text = metrics.text();
      const buckets = bucketsOf(text, "te_batch_next_tokens");
      expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
      const count = values.reduce((sum, each) => sum + each.times, 0);
      expect(buckets.at(-1)).toBe(count);
      expect(buckets[0]).toBe(values.filter((each) => each.value <= 1).reduce((sum, each) => sum + each.times, 0));
      expect(text).toContain(`te_batch_next_tokens_count ${count}\n`);
      const sum = values.reduce((total, each) => total + each.value * each.times, 0);
      expect(text).toContain(`te_batch_next_tokens_sum ${sum}\n`);
    }),
  );
});

test("every line is one of Prometheus' text format, also before anything happened", () => {
  const line = /^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{\w+="[^"\n]*"(?:,\w+="[^"\n]*")*\})? [\d.e+-]+)$/u;
  const metrics = new Metrics();
  metrics.count("te_request_failure", { err: 'a"b\\c\nd' });
  metrics.observe("te_request_duration", 1e-7);
  for (const text of [new Metrics().text(), metrics.text()]) {
    for (const each of text.trimEnd().split("\n")) expect(each).toMatch(line);
  }
});

test("ranges name exactly the indexes they were made of, and 2,048 of them fit in a header", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(2_047), { maxLength: 2_048 }), (indexes) => {
      const ascending = indexes.toSorted((a, b) => a - b);
      const text = indexRanges(ascending);
      const named =
        text === ""
          ? []
          : text.split(",").flatMap((part) => {
              const [first = 0, last = first] = part.split("-").map(Number);
              return Array.from({ length: last - first + 1 }, (_, offset) => first + offset);
            });
      expect(named).toEqual(ascending);
    }),
  );
  const worst = Array.from({ length: 1_024 }, (_, index) => index * 2);
  expect(indexRanges(worst).length).toBeLessThan(6_000);
});
