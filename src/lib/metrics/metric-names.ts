/** Every metric of the Workers. Labels have few values: never a tenant, a user, a tag or a text; a source only as far as `SourceNames` goes. */
export const METRICS = {
  http_requests_total: { type: "counter", help: "HTTP requests by route, method and status." },
  http_request_duration_seconds: {
    type: "histogram",
    help: "Wall time of HTTP requests by route, from first byte read to reply made.",
  },
  ingest_processed_total: {
    type: "counter",
    help: "Inputs by outcome: accepted, quarantined and rejected at the edge; indexed, unchanged, duplicate and failed in the store.",
  },
  ingest_rejected_total: { type: "counter", help: "Rejected inputs and refused requests by reason code." },
  ingest_source_inputs_total: { type: "counter", help: "Inputs at the edge by source and verdict." },
  ingest_relaxed_total: { type: "counter", help: "Inputs that only relaxed thresholds let in, by source." },
  fallback_fraction_gauge: {
    type: "gauge",
    help: "Inputs that only relaxed thresholds let in, as a share of those let in, by source.",
  },
  pii_spans_total: { type: "counter", help: "Spans of personal data found at the edge, by type." },
  ingest_requests_total: {
    type: "counter",
    help: "Accepted ingest requests by how their pointers went: queued, left to the sweeper, replayed.",
  },
  isolation_violations_total: {
    type: "counter",
    help: "Rows of another tenant or user that the last check held back, by place. Anything but 0 is an incident.",
  },
  profile_changes_total: {
    type: "counter",
    help: "Facts of profiles by what was done with them (set, removed, unchanged, refused, sent, erased) and by whom: put, watch.",
  },
  auth_failures_total: { type: "counter", help: "Requests without a valid key by code." },
  frames_total: {
    type: "counter",
    help: "Frames of sessions by what became of them: appended, repeated, quarantined, rejected, refused.",
  },
  session_flushes_total: { type: "counter", help: "Micro-batches of sessions by outcome: sent, failed." },
  session_seals_total: { type: "counter", help: "Segments of sessions by outcome of writing: stored, empty, failed." },
  sessions_opened_total: {
    type: "counter",
    help: "Openings of sessions by outcome: opened, renewed, waiting, refused, failed.",
  },
  chunks_total: { type: "counter", help: "Chunks of indexed documents by what was done: embedded, reused, failed." },
  tokens_total: { type: "counter", help: "Tokens of indexed chunks." },
  ranges_buried_total: { type: "counter", help: "Ranges that cannot be applied, by code." },
  segments_registered_total: {
    type: "counter",
    help: "Segments of sessions by outcome: registered, repeated, erased before they could be.",
  },
  summaries_total: {
    type: "counter",
    help: "Summaries of segments and sessions by method: extractive, endpoint; and fallback where the endpoint failed and the extractive one stands.",
  },
  drift_comparisons_total: {
    type: "counter",
    help: "Comparisons of finished batches with the batches before, by dimension, what it was compared with, and verdict.",
  },
  job_runs_total: {
    type: "counter",
    help: "Runs of jobs by job and outcome: done, partial, failed; lease_held and already_run where there was none; else a code. Dry runs are left out.",
  },
  job_budget_seconds: { type: "gauge", help: "Time that a run of a job may take, by job." },
  job_duration_seconds: { type: "histogram", help: "Wall time of runs of jobs by job." },
  job_last_success_timestamp_seconds: { type: "gauge", help: "When a job last ended as done, seconds since 1970." },
  cron_unknown_total: { type: "counter", help: "Invocations by a cron line that the schedule does not have." },
  log_errors_total: { type: "counter", help: "Error log lines by event." },
} as const satisfies Record<string, { type: "counter" | "histogram" | "gauge"; help: string }>;
/** Metrics that are added up. `fallback_fraction_gauge` is computed from them when it is shown; a time is the latest that was noted; of a gauge the last value stands. */
export type MetricName = Exclude<keyof typeof METRICS, "fallback_fraction_gauge" | TimeMetricName | GaugeName>;
export type TimeMetricName = "job_last_success_timestamp_seconds";

/** What runs of jobs measure. Set by them alone: one run after the other, so that the last value is the newest. */
export const GAUGES = ["job_budget_seconds"] as const satisfies readonly (keyof typeof METRICS)[];
export type GaugeName = (typeof GAUGES)[number];

/** Upper bounds of each histogram, seconds. A job has up to fifteen minutes. */
export const BUCKETS_SECONDS = {
  http_request_duration_seconds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  job_duration_seconds: [0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 900],
} as const satisfies Readonly<Record<string, readonly number[]>>;
export type HistogramName = keyof typeof BUCKETS_SECONDS;
