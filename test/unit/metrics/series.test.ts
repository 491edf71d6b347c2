import { describe, expect, it } from "vitest";
import { OTHER_SOURCE, SourceNames } from "../../../src/lib/metrics/source-names.ts";
import { CounterBuffer, renderPrometheus } from "../../../src/lib/metrics/series.ts";

describe("the counters of an isolate", () => {
  it("become Prometheus text with help, type and cumulative buckets", () => {
    const buffer = new CounterBuffer(100);
    buffer.count("ingest_processed_total", { outcome: "accepted" }, 3);
    buffer.count("ingest_processed_total", { outcome: "rejected" }, 0);
    for (const seconds of [0.001, 0.02, 0.02, 99])
      buffer.observe("http_request_duration_seconds", { route: "/x", method: "GET" }, seconds);
    const text = renderPrometheus(buffer.take());
    expect(text).toContain('# TYPE ingest_processed_total counter\ningest_processed_total{outcome="accepted"} 3\n');
    expect(text).not.toContain('rejected"}');
    expect(text).toContain('http_request_duration_seconds_bucket{method="GET",route="/x",le="0.005"} 1\n');
    expect(text).toContain('http_request_duration_seconds_bucket{method="GET",route="/x",le="0.025"} 3\n');
    expect(text).toContain('http_request_duration_seconds_bucket{method="GET",route="/x",le="30"} 3\n');
    expect(text).toContain('http_request_duration_seconds_bucket{method="GET",route="/x",le="+Inf"} 4\n');
    expect(text).toContain('http_request_duration_seconds_count{method="GET",route="/x"} 4\n');
  });

  it("start from nothing after they were taken", () => {
    const buffer = new CounterBuffer(100);
    buffer.count("cron_unknown_total", {}, 5);
    expect([...buffer.take()]).toEqual([["cron_unknown_total", 5]]);
    expect(buffer.isEmpty).toBe(true);
  });

  it("are bounded, and a label cannot break out of its quotes", () => {
    const buffer = new CounterBuffer(2);
    for (const code of ["a", "b", "c", "d"]) buffer.count("ingest_rejected_total", { code });
    expect([...buffer.take()]).toEqual([
      ['ingest_rejected_total{code="a"}', 1],
      ['ingest_rejected_total{code="b"}', 1],
      ["metrics_dropped_total", 2],
    ]);
    buffer.count("ingest_rejected_total", { code: 'x"} 1\nevil_total 5' });
    expect([...buffer.take().keys()]).toEqual(['ingest_rejected_total{code="x_} 1_evil_total 5"}']);
  });

  it("show the share of inputs that relaxed thresholds let in, by source", () => {
    const text = renderPrometheus(
      new Map([
        ['ingest_source_inputs_total{outcome="accepted",source="mail"}', 30],
        ['ingest_source_inputs_total{outcome="duplicate",source="mail"}', 10],
        ['ingest_source_inputs_total{outcome="rejected",source="spam"}', 9],
        ['ingest_source_inputs_total{outcome="accepted",source="wiki"}', 5],
        ['ingest_relaxed_total{source="mail"}', 4],
      ]),
    );
    expect(text).toContain(
      '# TYPE fallback_fraction gauge\nfallback_fraction{source="mail"} 0.1\nfallback_fraction{source="wiki"} 0\n',
    );
    expect(text).not.toContain('fallback_fraction{source="spam"}');
  });
});

describe("a gauge", () => {
  it("is what was set last, larger or smaller", () => {
    const buffer = new CounterBuffer(100);
    buffer.set("artifact_bytes", { kind: "pack" }, 60);
    buffer.set("artifact_bytes", { kind: "pack" }, 30);
    expect(renderPrometheus(buffer.take())).toContain('# TYPE artifact_bytes gauge\nartifact_bytes{kind="pack"} 30\n');
  });
});

describe("a time", () => {
  it("is the latest that was noted, and each histogram has its own bounds", () => {
    const buffer = new CounterBuffer(100);
    for (const seconds of [1_000, 3_000, 2_000])
      buffer.note("job_last_success_timestamp_seconds", { job_name: "sweep" }, seconds);
    buffer.observe("job_duration_seconds", { job_name: "sweep" }, 250);
    const text = renderPrometheus(buffer.take());
    expect(text).toContain('job_last_success_timestamp_seconds{job_name="sweep"} 3000');
    expect(text).toContain('job_duration_seconds_bucket{job_name="sweep",le="120"} 0');
    expect(text).toContain('job_duration_seconds_bucket{job_name="sweep",le="300"} 1');
    expect(text).toContain('job_duration_seconds_bucket{job_name="sweep",le="900"} 1');
  });
});

describe("the names of sources in labels", () => {
  it("are the first fifty plain ones; all others share a name", () => {
    const names = new SourceNames();
    const labels = Array.from({ length: 80 }, (_, index) => names.labelOf(`source-${index}`));
    expect(labels.filter((label) => label !== OTHER_SOURCE)).toHaveLength(50);
    expect([names.labelOf("source-3"), names.labelOf("source-79"), names.labelOf("")]).toEqual([
      "source-3",
      "other",
      "none",
    ]);
    expect(new SourceNames().labelOf("Dear Ann, I write to you")).toBe(OTHER_SOURCE);
  });
});
