import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { metricsDocument } from "../../../ops/metrics-document.ts";
import type { WalDocument } from "../../../src/lib/contract/wal-record.ts";
import { CRON_LINES, type CronLine } from "../../../src/lib/flows/jobs/job.ts";
import { cronPeriodSeconds } from "../../../src/lib/flows/jobs/cron-period.ts";
import { GAUGES, METRICS } from "../../../src/lib/metrics/metric-names.ts";
import { CounterBuffer, renderPrometheus } from "../../../src/lib/metrics/series.ts";
import { countInputs } from "../../../src/workers/count-inputs.ts";

/** What a client can choose of an input. */
const inputOf = fc.record({
  source: fc.oneof(fc.string({ unit: "binary", maxLength: 80 }), fc.stringMatching(/^[a-z]{1,12}$/)),
  document_id: fc.string(),
  title: fc.string(),
  user_id: fc.string(),
});

const VERDICTS = ["accepted", "duplicate", "quarantined", "rejected"] as const;
/** 50 names that an isolate tells apart, and "none" and "other". */
const SOURCE_LABELS_MAX = 52;

function document(input: Readonly<Record<"source" | "document_id" | "title" | "user_id", string>>): WalDocument {
  return {
    ...input,
    document_index: 0,
    tier: "doc",
    metadata: {},
    occurred_at_ms: null,
    text: "words",
    verdict: VERDICTS[input.source.length % VERDICTS.length] ?? "accepted",
    reasons: [{ code: "empty_text" }],
    curation: { relaxed_step: 1, pii_counts: { EMAIL_ADDRESS: 1 } },
  };
}

describe("the series of an isolate", () => {
  it("are no more than their bound, whatever clients send, and hold nothing that only a client can know", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(inputOf, { maxLength: 100 }), (inputs) => {
        const buffer = new CounterBuffer(10_000);
        countInputs(buffer, inputs.map(document));
        for (const series of buffer.take().keys()) seen.add(series);
      }),
      { numRuns: 60 },
    );
    const ofSources = [...seen].filter((series) => series.includes("source="));
    expect(ofSources.length).toBeGreaterThan(SOURCE_LABELS_MAX);
    expect(ofSources.length).toBeLessThanOrEqual(SOURCE_LABELS_MAX * (VERDICTS.length + 1));
    expect(seen.size - ofSources.length).toBeLessThanOrEqual(VERDICTS.length + 2);
    for (const series of seen) expect(series).toMatch(/^[a-z_]+(\{([a-z_]+="[A-Za-z0-9._:/-]*",?)+\})?$/);
  });

  it("are counted under another name past the limit of their buffer", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.array(fc.string(), { maxLength: 60 }), (limit, codes) => {
        const buffer = new CounterBuffer(limit);
        for (const code of codes) buffer.count("ingest_rejected_total", { code });
        const taken = buffer.take();
        expect(taken.size).toBeLessThanOrEqual(limit + 1);
        expect([...taken.values()].reduce((sum, value) => sum + value, 0)).toBe(codes.length);
      }),
    );
  });
});

describe("the table of metrics", () => {
  it("is what docs/metrics.md says (npm run metrics writes it)", () => {
    expect(readFileSync(new URL("../../../docs/metrics.md", import.meta.url), "utf8")).toBe(metricsDocument());
  });

  it("names no label after what Prometheus names its targets by, and sets only gauges", () => {
    for (const [name, { labels }] of Object.entries(METRICS)) {
      expect(new Set(labels).size, name).toBe(labels.length);
      for (const label of labels) expect(["job", "instance", "le", "quantile"], name).not.toContain(label);
    }
    for (const name of GAUGES) expect(METRICS[name].type).toBe("gauge");
  });

  it("shows what alerts watch before its first event", () => {
    const text = renderPrometheus(new Map());
    expect(text).toContain('isolation_violations_total{place="search"} 0\n');
    expect(text).toContain('dead_letters_total{code="attempts_exhausted",queue="embed"} 0\n');
    expect(renderPrometheus(new Map([["cron_unknown_total", 3]]))).toContain("\ncron_unknown_total 3\n");
  });
});

describe("the period of a cron line", () => {
  it("is known for each line of the schedule, and right for those of each form", () => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const lines = Object.keys(CRON_LINES) as CronLine[];
    for (const line of lines) expect(cronPeriodSeconds(line), line).toBeGreaterThanOrEqual(300);
    expect(cronPeriodSeconds("*/5 * * * *")).toBe(300);
    expect(cronPeriodSeconds("0 * * * *")).toBe(3_600);
    expect(cronPeriodSeconds("0 */6 * * *")).toBe(6 * 3_600);
    expect(cronPeriodSeconds("0 3 * * *")).toBe(86_400);
  });
});
