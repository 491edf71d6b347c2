import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lengthHistogram, relaxationChart, stackedBar } from "../../../src/cli/report/charts.ts";
import { curateView } from "../../../src/cli/report/curate-view.ts";
import { escaped } from "../../../src/cli/report/html.ts";
import { countText, shareText } from "../../../src/cli/report/number-text.ts";
import { ingestView } from "../../../src/cli/report/ingest-view.ts";
import { renderReport } from "../../../src/cli/report/render-report.ts";
import type { IngestReport } from "../../../src/lib/contract/batch.ts";
import type { DriftReport } from "../../../src/lib/contract/drift.ts";
import type { CurateReport } from "../../../src/lib/curate/curate-report.ts";

const HOSTILE = `"><script>alert('x')</script>&`;

const REPORT: CurateReport = {
  kind: "curate_report",
  schema_version: 1,
  created_at: "2026-01-01T00:00:00.000Z",
  file_count: 2,
  input_count: 10,
  verdicts: { accepted: 7, duplicate: 1, quarantined: 1, rejected: 1 },
  acceptance_rate: 0.7,
  relaxation: {
    target: 0.9,
    step: 4,
    steps_max: 4,
    relaxed_count: 2,
    steps: [{ step: 0, passed: 6, pass_rate: 0.66 }],
  },
  sources: ["one", HOSTILE].map((source) => ({
    source,
    tier: "doc" as const,
    input_count: 5,
    accepted: 3,
    duplicate: 1,
    quarantined: 1,
    rejected: 0,
    relaxed: 1,
    fallback_fraction: 0.33,
  })),
  reasons: [{ verdict: "quarantined", code: "encoded_blob", input_count: 1 }],
  source_reasons: ["one", HOSTILE].map((source) => ({ source, code: "encoded_blob", input_count: 1 })),
  lengths: [{ from: 64, to: 128, accepted: 7, other: 3 }],
  pii: [{ type: "IBAN_CODE", action: "redact", span_count: 2, input_count: 1 }],
  refusals: [{ code: "pdf_malformed", refusal_count: 1, examples: [HOSTILE] }],
  tokens: null,
  drift: { baseline: HOSTILE, dimensions: [{ dimension: "source", psi: 0.3, js_bits: 0.1, verdict: "drifted" }] },
  profile: {},
  versions: { gate: "1", pii_rules: "1", chunker: "1", readers: 1 },
};

describe("the report page", () => {
  const page = renderReport(curateView(REPORT));

  it("escapes every name that it did not make itself", () => {
    expect(page).not.toContain("<script");
    expect(page).toContain("&quot;&gt;&lt;script&gt;");
  });

  it("loads nothing from anywhere", () => {
    expect(page).not.toMatch(/\b(?:src|href)\s*=|url\(|@import|https?:/i);
    expect(page).toContain("default-src 'none'");
  });

  it("shows acceptance by source and rule, relaxation, lengths, personal data, drift and what was not read", () => {
    for (const text of [
      "Acceptance by source",
      "Source by rule",
      "Adaptive relaxation",
      "Lengths",
      "IBAN_CODE",
      "drifted",
      "pdf_malformed",
    ])
      expect(page).toContain(text);
  });

  it("says so where a part is empty", () => {
    const none = {
      ...REPORT,
      input_count: 0,
      sources: [],
      source_reasons: [],
      reasons: [],
      pii: [],
      lengths: [],
      refusals: [],
      drift: null,
    };
    const empty = renderReport(curateView(none));
    expect(empty).toContain("No text was read.");
    expect(empty).toContain("None of these was found.");
    expect(empty).not.toContain("NaN");
  });
});

describe("the page of a batch", () => {
  const outcomes = { indexed: 5, unchanged: 1, duplicate: 1, quarantined: 1, rejected: 1, failed: 1 };
  const report: IngestReport = {
    schema_version: 2,
    tenant_id: "acme",
    batch_tag: "b",
    state: "done_with_failures",
    document_count: 10,
    outcomes,
    reasons: [{ outcome: "rejected", code: "empty_text", input_count: 1 }],
    sources: [
      {
        source: HOSTILE,
        tier: "doc",
        document_count: 10,
        outcomes,
        relaxed_count: 0,
        fallback_fraction: 0,
        chunk_count: 9,
        token_count: 900,
      },
    ],
    relaxation: [],
    pii: [{ type: "US_SSN", span_count: 2, input_count: 1 }],
    languages: [],
    lengths: [{ characters_from: 64, characters_below: 128, input_count: 10 }],
    versions: [{ gate_version: "2", pii_version: "1", policy_version: 0, input_count: 10 }],
    models: [{ fingerprint: "f", model_name: "m", dimensions: 384 }],
    chunk_count: 9,
    chunk_reused_count: 0,
    chunk_failed_count: 0,
    token_count: 900,
    started_at: null,
    last_applied_at: null,
    duration_seconds: null,
  };

  it("shows outcomes, sources, lengths, personal data, versions and the drift where there was a batch before", () => {
    const previous: DriftReport["previous"] = {
      batch_tags: ["a"],
      document_count: 10,
      dimensions: [{ dimension: "tier", verdict: "steady", psi: 0, psi_by_chance: 0, js: 0, changes: [] }],
    };
    const drift = { batch_tag: "b", document_count: 10, has_drifted: false, previous, baseline: previous };
    const page = renderReport(ingestView(report, drift));
    for (const text of [
      "6 of 10 inputs are in the store",
      "failed",
      "US_SSN",
      "gate 2",
      "Compared with a.",
      "empty_text",
    ])
      expect(page).toContain(text);
    expect(page).not.toContain("<script");
    expect(renderReport(ingestView(report, undefined))).not.toContain("Compared with");
  });
});

describe("escaping", () => {
  it("leaves no character that ends text or an attribute", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(escaped(text).replaceAll(/&(?:amp|lt|gt|quot|#39);/g, "")).not.toMatch(/[<>"'&]/);
      }),
    );
  });
});

describe("charts", () => {
  it("draw any counts inside their frame", () => {
    const bin = fc.record({ from: fc.nat(), to: fc.nat(), accepted: fc.nat(1e6), other: fc.nat(1e6) });
    fc.assert(
      fc.property(fc.array(bin, { maxLength: 30 }), (bins) => {
        const { markup } = lengthHistogram(bins);
        expect(markup).not.toMatch(/NaN|Infinity/);
        for (const [, value] of markup.matchAll(/ (?:y|height)="(-?[\d.]+)"/g)) {
          expect(Number(value)).toBeGreaterThanOrEqual(0);
          expect(Number(value)).toBeLessThanOrEqual(230);
        }
      }),
    );
  });

  it("show nothing for nothing", () => {
    expect(stackedBar([], "none").markup).toContain("empty");
    const steps = { target: 0.9, reached: 0, stepsMax: 4, relaxedCount: 0, steps: [] };
    expect(relaxationChart(steps).markup).not.toContain("NaN");
  });
});

describe("numbers", () => {
  it("read as people write them, and a share is 0 or 100 only where it is exactly that", () => {
    expect(countText(1234567)).toBe("1,234,567");
    expect([0, 0.0001, 0.0456, 0.5, 0.9999, 1].map(shareText)).toEqual([
      "0 %",
      "0.1 %",
      "4.6 %",
      "50 %",
      "99.9 %",
      "100 %",
    ]);
  });
});
