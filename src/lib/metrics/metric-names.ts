interface Metric {
  readonly type: "counter" | "histogram" | "gauge";
  /** Names of its labels. Their values are few: never a tenant, a user, a tag or a text; a source only as far as `SourceNames` goes. */
  readonly labels: readonly string[];
  /** What one value is, and the values of its labels. */
  readonly help: string;
}

/** Every metric of the Workers; `npm run metrics` makes docs/metrics.md of this table. */
export const METRICS = {
  http_requests_total: {
    type: "counter",
    labels: ["method", "route", "status"],
    help: "HTTP requests by route, method and status.",
  },
  http_request_duration_seconds: {
    type: "histogram",
    labels: ["method", "route"],
    help: "Wall time of HTTP requests by route, from first byte read to reply made.",
  },
  auth_failures_total: { type: "counter", labels: ["code"], help: "Requests without a valid key by code." },
  ingest_requests_total: {
    type: "counter",
    labels: ["queue"],
    help: "Accepted ingest requests by how their pointers went: queued, left_to_sweeper, replayed.",
  },
  ingest_processed_total: {
    type: "counter",
    labels: ["outcome"],
    help: "Inputs by outcome: accepted, quarantined and rejected at the edge; indexed, unchanged, duplicate and failed in the store.",
  },
  ingest_rejected_total: {
    type: "counter",
    labels: ["code"],
    help: "Rejected inputs and refused requests by reason code.",
  },
  ingest_source_inputs_total: {
    type: "counter",
    labels: ["source", "outcome"],
    help: "Inputs at the edge by source and verdict.",
  },
  ingest_relaxed_total: {
    type: "counter",
    labels: ["source"],
    help: "Inputs that only relaxed thresholds let in, by source.",
  },
  fallback_fraction: {
    type: "gauge",
    labels: ["source"],
    help: "Inputs that only relaxed thresholds let in, as a share of those let in, by source. Prometheus records it as fallback_fraction_gauge.",
  },
  pii_spans_total: {
    type: "counter",
    labels: ["type"],
    help: "Spans of personal data found at the edge, by type.",
  },
  ingest_freshness_seconds: {
    type: "histogram",
    labels: ["origin"],
    help: "Time from the acceptance of a request (origin request, profile) or an append (session) until its range is searchable, one value a range.",
  },
  queue_message_duration_seconds: {
    type: "histogram",
    labels: ["queue", "outcome"],
    help: "Wall time of a message in its consumer, by queue and outcome: applied, repeated, failed.",
  },
  queue_retries_total: {
    type: "counter",
    labels: ["queue", "code"],
    help: "Messages given back to their queue, by queue and reason; spared: not tried, since its neighbour failed for a reason that all share.",
  },
  queue_backlog_messages: {
    type: "gauge",
    labels: ["queue"],
    help: "Messages that wait in a queue, as the platform tells at the scrape.",
  },
  queue_oldest_message_age_seconds: {
    type: "gauge",
    labels: ["queue"],
    help: "Age of the oldest message of a queue at the scrape, 0 when it is empty or the platform does not tell.",
  },
  wal_backlog_objects: {
    type: "gauge",
    labels: [],
    help: "WAL objects older than two minutes with a range that is not in the ledger, as the last whole round of the sweeper found them.",
  },
  wal_backlog_bytes: { type: "gauge", labels: [], help: "Bytes of the WAL objects of wal_backlog_objects." },
  wal_backlog_oldest_age_seconds: {
    type: "gauge",
    labels: [],
    help: "Age of the oldest of them, 0 when there is none.",
  },
  dead_letters_total: {
    type: "counter",
    labels: ["queue", "code"],
    help: "Dead letters written, by queue and reason.",
  },
  dead_letters_open: { type: "gauge", labels: ["queue"], help: "Dead letters that nobody has resolved, by queue." },
  chunks_total: {
    type: "counter",
    labels: ["outcome"],
    help: "Chunks of indexed documents by what was done: embedded, reused, failed.",
  },
  tokens_total: {
    type: "counter",
    labels: ["outcome"],
    help: "Tokens of indexed chunks by what was done with the chunk: embedded, reused.",
  },
  embedder_request_duration_seconds: {
    type: "histogram",
    labels: ["lane", "outcome"],
    help: "Wall time of requests to the embedder by lane (interactive, bulk) and outcome (ok, failed).",
  },
  embedder_errors_total: { type: "counter", labels: ["code"], help: "Requests to the embedder that failed, by code." },
  database_call_duration_seconds: {
    type: "histogram",
    labels: ["kind", "outcome"],
    help: "Wall time of calls of the database by kind (read, write, statement) and outcome (ok, failed; a conflict that a caller expects is ok).",
  },
  database_errors_total: { type: "counter", labels: ["code"], help: "Calls of the database that failed, by code." },
  search_stage_duration_seconds: {
    type: "histogram",
    labels: ["stage"],
    help: "Time of a search by stage: wait (for its own writes), embed, database, rank, neighbours.",
  },
  search_degraded_total: {
    type: "counter",
    labels: ["reason"],
    help: "Searches that were answered with less than was asked for, by reason.",
  },
  dependency_ready: {
    type: "gauge",
    labels: ["part"],
    help: "1 when the part can be used at the scrape, else 0: database, storage, queue, embedder.",
  },
  frames_total: {
    type: "counter",
    labels: ["status"],
    help: "Frames of sessions by what became of them: appended, repeated, quarantined, rejected, refused.",
  },
  sessions_opened_total: {
    type: "counter",
    labels: ["outcome"],
    help: "Openings of sessions by outcome: opened, renewed, waiting, refused, failed.",
  },
  sessions_open: { type: "gauge", labels: [], help: "Sessions that hold a place at the scrape." },
  sessions_waiting: { type: "gauge", labels: [], help: "Sessions that wait for a place at the scrape." },
  session_flushes_total: {
    type: "counter",
    labels: ["outcome"],
    help: "Micro-batches of sessions by outcome: sent, failed.",
  },
  session_seals_total: {
    type: "counter",
    labels: ["outcome"],
    help: "Segments of sessions by outcome of writing: stored, empty, failed.",
  },
  segments_registered_total: {
    type: "counter",
    labels: ["outcome"],
    help: "Segments of sessions by outcome: registered, repeated, erased before they could be.",
  },
  summaries_total: {
    type: "counter",
    labels: ["method"],
    help: "Summaries of segments and sessions by method: extractive, endpoint; and fallback where the endpoint failed and the extractive one stands.",
  },
  profile_changes_total: {
    type: "counter",
    labels: ["cause", "change"],
    help: "Facts of profiles by what was done with them (set, removed, unchanged, refused, sent, erased) and by whom: put, watch.",
  },
  drift_comparisons_total: {
    type: "counter",
    labels: ["dimension", "against", "verdict"],
    help: "Comparisons of finished batches with the batches before, by dimension, what it was compared with, and verdict.",
  },
  isolation_violations_total: {
    type: "counter",
    labels: ["place"],
    help: "Rows of another tenant or user that the last check held back, by place. Anything but 0 is an incident.",
  },
  artifact_objects: { type: "gauge", labels: ["kind"], help: "Registered artifacts of all tenants, by kind." },
  artifact_bytes: { type: "gauge", labels: ["kind"], help: "Bytes of registered artifacts of all tenants, by kind." },
  audit_findings: {
    type: "gauge",
    labels: ["check"],
    help: "What the last whole audit found wrong, by check.",
  },
  audit_alarming_changes: {
    type: "gauge",
    labels: [],
    help: "Changes since the audit before that no record of a deletion explains, and findings.",
  },
  audit_last_timestamp_seconds: {
    type: "gauge",
    labels: [],
    help: "When the last whole audit began, seconds since 1970.",
  },
  orphans: {
    type: "gauge",
    labels: ["kind"],
    help: "Rows and objects that hang on nothing, by kind, as the last whole round of the orphan check found them.",
  },
  reembed_documents: {
    type: "gauge",
    labels: ["state"],
    help: "Documents that the last run of reembed gave vectors, by state of the model: active, shadow.",
  },
  reembed_refused_documents: {
    type: "gauge",
    labels: ["state"],
    help: "Documents of which the last run of reembed could not embed something, by state of the model.",
  },
  reembed_tokens_per_second: {
    type: "gauge",
    labels: ["state"],
    help: "Tokens that the last run of reembed embedded in a second, by state of the model.",
  },
  model_golden_cosine: {
    type: "gauge",
    labels: ["state", "statistic"],
    help: "Cosine of the golden texts' vectors with those of the registration, by state of the model and statistic: min, mean.",
  },
  snapshot_newest_timestamp_seconds: {
    type: "gauge",
    labels: ["kind"],
    help: "Hour of the newest snapshot by kind, seconds since 1970: its age is the time since then.",
  },
  snapshot_held_objects: {
    type: "gauge",
    labels: [],
    help: "Objects that were removed and wait until no snapshot holds them, as the last whole walk over them found.",
  },
  snapshot_held_bytes: { type: "gauge", labels: [], help: "Bytes of those objects." },
  search_recall_at_10: {
    type: "gauge",
    labels: ["model"],
    help: "Share of the ten nearest stored vectors that searches of large scopes found, by number of the model; 1 where every answer is exact.",
  },
  database_bytes: { type: "gauge", labels: [], help: "Bytes of the databases on disk, indexes and all." },
  pack_compression_ratio: {
    type: "gauge",
    labels: [],
    help: "Characters of the texts that the last run of pack packed, by bytes of the packs that it made of them.",
  },
  job_runs_total: {
    type: "counter",
    labels: ["job_name", "outcome"],
    help: "Runs of jobs by job and outcome: done, partial, failed; lease_held and already_run where there was none; else a code. Dry runs are left out.",
  },
  job_duration_seconds: { type: "histogram", labels: ["job_name"], help: "Wall time of runs of jobs by job." },
  job_last_success_timestamp_seconds: {
    type: "gauge",
    labels: ["job_name"],
    help: "When a job last ended as done, seconds since 1970.",
  },
  backup_size_bytes: { type: "gauge", labels: ["kind"], help: "Bytes of the last backup, by kind: full, delta." },
  backup_last_timestamp_seconds: {
    type: "gauge",
    labels: ["kind"],
    help: "When the last whole backup began, by kind: what was written since is in the WAL alone. Seconds since 1970.",
  },
  restore_duration_seconds: {
    type: "gauge",
    labels: [],
    help: "How long the last restore took, from its first run to its end.",
  },
  restore_last_timestamp_seconds: {
    type: "gauge",
    labels: [],
    help: "When the last restore ended, seconds since 1970.",
  },
  job_budget_seconds: {
    type: "gauge",
    labels: ["job_name"],
    help: "Time that a run of a scheduled job may take, by job.",
  },
  job_period_seconds: {
    type: "gauge",
    labels: ["job_name"],
    help: "Time between two ticks of a scheduled job, by job.",
  },
  dictionary_saved_fraction: {
    type: "gauge",
    labels: [],
    help: "Bytes that dictionaries saved of held-out records of packs, as a share, in the last trainings of the job dictionary.",
  },
  sync_remote_objects: {
    type: "gauge",
    labels: [],
    help: "Objects at the second remote, as the last whole round of the job sync met them.",
  },
  sync_failed_objects: {
    type: "gauge",
    labels: [],
    help: "Objects that the last whole round of the job sync could not copy.",
  },
  sync_withheld_removals: {
    type: "gauge",
    labels: [],
    help: "Objects at the second remote that are missing here without a record, and were left there because they are many.",
  },
  cron_unknown_total: {
    type: "counter",
    labels: [],
    help: "Invocations by a cron line that the schedule does not have.",
  },
  log_errors_total: { type: "counter", labels: ["event"], help: "Error log lines by event." },
  metrics_dropped_total: {
    type: "counter",
    labels: [],
    help: "Counts that were not kept by their series, because an isolate or the hub held as many as it may.",
  },
} as const satisfies Readonly<Record<string, Metric>>;

export type AnyMetricName = keyof typeof METRICS;
type NameOf<T extends Metric["type"]> = {
  [N in AnyMetricName]: (typeof METRICS)[N]["type"] extends T ? N : never;
}[AnyMetricName];

/** Metrics that are added up. */
export type CounterName = NameOf<"counter">;
export type HistogramName = NameOf<"histogram">;
/** Of a time the latest that was noted stands. */
export type TimeMetricName = "job_last_success_timestamp_seconds";

/** What runs of jobs measure. Set by them alone: one run after the other, so that the last value is the newest. */
export const GAUGES = [
  "reembed_documents",
  "reembed_refused_documents",
  "reembed_tokens_per_second",
  "model_golden_cosine",
  "backup_size_bytes",
  "backup_last_timestamp_seconds",
  "restore_duration_seconds",
  "restore_last_timestamp_seconds",
  "dictionary_saved_fraction",
  "sync_remote_objects",
  "sync_failed_objects",
  "sync_withheld_removals",
  "wal_backlog_objects",
  "wal_backlog_bytes",
  "wal_backlog_oldest_age_seconds",
  "dead_letters_open",
  "artifact_objects",
  "artifact_bytes",
  "database_bytes",
  "pack_compression_ratio",
  "snapshot_newest_timestamp_seconds",
  "snapshot_held_objects",
  "snapshot_held_bytes",
  "audit_findings",
  "audit_alarming_changes",
  "audit_last_timestamp_seconds",
  "orphans",
  "search_recall_at_10",
] as const satisfies readonly NameOf<"gauge">[];
export type GaugeName = (typeof GAUGES)[number];

/** What is asked for when the metrics are: it is cheap to tell, and of use only when it is fresh. */
const SCRAPED = [
  "queue_backlog_messages",
  "queue_oldest_message_age_seconds",
  "dependency_ready",
  "sessions_open",
  "sessions_waiting",
  "job_budget_seconds",
  "job_period_seconds",
] as const satisfies readonly NameOf<"gauge">[];
export type ScrapedName = (typeof SCRAPED)[number];

/** The labels that a metric has. */
export type LabelsOf<N extends AnyMetricName> = Readonly<
  Record<(typeof METRICS)[N]["labels"][number], string | number>
>;

const FAST_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;
const SLOW_SECONDS = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 300, 900, 3600] as const;

/** Upper bounds of each histogram, seconds. A job has up to fifteen minutes; what is not searchable after an hour waits for something else. */
export const BUCKETS_SECONDS = {
  http_request_duration_seconds: FAST_SECONDS,
  ingest_freshness_seconds: SLOW_SECONDS,
  queue_message_duration_seconds: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  embedder_request_duration_seconds: FAST_SECONDS,
  database_call_duration_seconds: [0.001, 0.0025, ...FAST_SECONDS],
  search_stage_duration_seconds: [0.001, 0.0025, ...FAST_SECONDS],
  job_duration_seconds: [0.1, 0.5, 1, 5, 15, 30, 60, 120, 300, 600, 900],
} as const satisfies Readonly<Record<HistogramName, readonly number[]>>;
