import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseScrape, quantileBetween, samplesOf, sumOf } from "../../../src/dashboard/service/prometheus.ts";
import { CounterBuffer, renderPrometheus } from "../../../src/lib/metrics/series.ts";

describe("a scrape", () => {
  it("is read as the service writes it", () => {
    const buffer = new CounterBuffer(100);
    buffer.count("ingest_source_inputs_total", { source: "mail", outcome: "accepted" }, 3);
    buffer.count("ingest_source_inputs_total", { source: "mail", outcome: "rejected" }, 2);
    buffer.count("ingest_source_inputs_total", { source: "wiki", outcome: "accepted" }, 4);
    const scrape = parseScrape(renderPrometheus(buffer.take()));
    expect(sumOf(scrape, "ingest_source_inputs_total")).toBe(9);
    expect(sumOf(scrape, "ingest_source_inputs_total", { outcome: "accepted" })).toBe(7);
    expect(sumOf(scrape, "ingest_source_inputs_total", { source: "mail", outcome: ["accepted", "rejected"] })).toBe(5);
    expect(samplesOf(scrape, "ingest_source_inputs")).toEqual([]);
  });

  it("passes over what is no sample", () => {
    expect([...parseScrape('# HELP a b\n\nnonsense\na{b="c"} 1.5\nd NaN\ne 2\n')]).toEqual([
      ['a{b="c"}', 1.5],
      ["e", 2],
    ]);
  });
});

describe("a quantile between two scrapes", () => {
  const NAME = "http_request_duration_seconds";
  const of = (seconds: readonly number[]) => {
    const buffer = new CounterBuffer(100);
    for (const each of seconds) buffer.observe("http_request_duration_seconds", { route: "/x", method: "GET" }, each);
    return parseScrape(renderPrometheus(buffer.take()));
  };

  it("lies in the bucket of the value that has this rank", () => {
    const bounds = [0, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
    const durations = fc.array(fc.double({ min: 0.0001, max: 29, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(durations, fc.double({ min: 0.01, max: 1, noNaN: true }), (seconds, quantile) => {
        const found = quantileBetween(new Map(), of(seconds), { name: NAME, quantile }) ?? Number.NaN;
        const sorted = [...seconds].sort((a, b) => a - b);
        const ranked = sorted[Math.ceil(quantile * sorted.length) - 1] ?? Number.NaN;
        const upper = bounds.find((bound) => ranked <= bound) ?? Number.NaN;
        const lower = bounds[bounds.indexOf(upper) - 1] ?? Number.NaN;
        expect(found).toBeGreaterThanOrEqual(lower - 1e-9);
        expect(found).toBeLessThanOrEqual(upper + 1e-9);
      }),
    );
  });

  it("is of the series that fit alone", () => {
    const scrape = of([0.003]);
    expect(quantileBetween(new Map(), scrape, { name: NAME, quantile: 0.5, labels: { route: "/x" } })).not.toBeNull();
    expect(quantileBetween(new Map(), scrape, { name: NAME, quantile: 0.5, labels: { route: "/y" } })).toBeNull();
  });

  it("counts only what came between them, and is nothing where nothing came", () => {
    const before = of([20, 20, 20]);
    expect(quantileBetween(before, of([20, 20, 20, 0.003]), { name: NAME, quantile: 0.99 })).toBeLessThanOrEqual(0.005);
    expect(quantileBetween(before, before, { name: NAME, quantile: 0.5 })).toBeNull();
    expect(quantileBetween(new Map(), of([99]), { name: NAME, quantile: 0.5 })).toBe(30);
  });
});
