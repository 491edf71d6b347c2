/** What the dashboard shows, row by row. `$__rate_interval` is Grafana's: at least four scrapes. */
export interface Query {
  readonly expr: string;
  /** Labels in double braces, as Grafana takes them. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  readonly kind: "timeseries" | "stat" | "bargauge" | "table";
  /** A unit of Grafana. */
  readonly unit: "reqps" | "percentunit" | "s" | "short" | "bytes" | "ops" | "dtdurations";
  readonly queries: readonly Query[];
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const RATE = "[$__rate_interval]";

/** A percentile of a histogram, by some of its labels. */
function quantile(share: number, metric: string, by: string, filter = ""): Query {
  const labels = by === "" ? "le" : `le, ${by}`;
  const expr = `histogram_quantile(${share}, sum by (${labels}) (rate(${metric}_bucket${filter}${RATE})))`;
  return { expr, legend: by === "" ? `p${share * 100}` : `{{${by}}}` };
}

const panel =
  (kind: Panel["kind"], unit: Panel["unit"]) =>
  (title: string, ...queries: readonly Query[]): Panel => ({ title, kind, unit, queries });
const seconds = panel("timeseries", "s");
const rates = panel("timeseries", "ops");
const shares = panel("timeseries", "percentunit");
const counts = panel("timeseries", "short");
const sizes = panel("timeseries", "bytes");

export const ROWS: readonly Row[] = [
  {
    title: "At a glance",
    panels: [
      panel("stat", "short")("Parts that can be used", { expr: "dependency_ready", legend: "{{part}}" }),
      panel("stat", "percentunit")("Inputs accepted", {
        expr: "jeeves:ingest_accepted_ratio:rate5m",
        legend: "accepted",
      }),
      panel("stat", "s")("Searchable after (p95)", quantile(0.95, "ingest_freshness_seconds", "")),
      panel("stat", "short")("Dead letters open", { expr: "sum(dead_letters_open)", legend: "open" }),
      panel("stat", "short")("Isolation violations", { expr: "sum(isolation_violations_total)", legend: "rows" }),
    ],
  },
  {
    title: "What comes in",
    panels: [
      rates("Inputs by outcome", {
        expr: `sum by (outcome) (rate(ingest_processed_total${RATE}))`,
        legend: "{{outcome}}",
      }),
      rates("Inputs by source", {
        expr: `sum by (source) (rate(ingest_source_inputs_total${RATE}))`,
        legend: "{{source}}",
      }),
      shares("Accepted, by source", {
        expr: `sum by (source) (rate(ingest_source_inputs_total{outcome=~"accepted|duplicate"}${RATE})) / sum by (source) (rate(ingest_source_inputs_total${RATE}))`,
        legend: "{{source}}",
      }),
      shares("Let in by relaxed thresholds, by source", { expr: "fallback_fraction_gauge", legend: "{{source}}" }),
      rates("Refused, by reason", {
        expr: `sum by (code) (rate(ingest_rejected_total${RATE}))`,
        legend: "{{code}}",
      }),
      rates("Personal data found, by type", {
        expr: `sum by (type) (rate(pii_spans_total${RATE}))`,
        legend: "{{type}}",
      }),
    ],
  },
  {
    title: "Latency",
    panels: [
      seconds("Requests, p95 by route", quantile(0.95, "http_request_duration_seconds", "route")),
      seconds("Search, p95 by stage", quantile(0.95, "search_stage_duration_seconds", "stage")),
      seconds("Consumer, p95 by queue", quantile(0.95, "queue_message_duration_seconds", "queue")),
      seconds("Database, p95 by kind", quantile(0.95, "database_call_duration_seconds", "kind")),
      panel("timeseries", "reqps")("Requests by route", { expr: "jeeves:http_requests:rate5m", legend: "{{route}}" }),
      shares(
        "Requests that end with 5xx",
        { expr: "jeeves:http_error_ratio:rate5m", legend: "5 minutes" },
        { expr: "jeeves:http_error_ratio:rate1h", legend: "1 hour" },
      ),
    ],
  },
  {
    title: "Freshness and backlog",
    panels: [
      seconds(
        "From acceptance to searchable",
        quantile(0.5, "ingest_freshness_seconds", ""),
        quantile(0.95, "ingest_freshness_seconds", ""),
        quantile(0.99, "ingest_freshness_seconds", ""),
      ),
      seconds("p95 by what made it", quantile(0.95, "ingest_freshness_seconds", "origin")),
      shares("Not searchable within a minute", { expr: "jeeves:freshness_slow_ratio:rate5m", legend: "5 minutes" }),
      counts("Messages in the queues", { expr: "queue_backlog_messages", legend: "{{queue}}" }),
      counts("WAL objects not applied", { expr: "wal_backlog_objects", legend: "objects" }),
      seconds(
        "Age of the oldest",
        { expr: "wal_backlog_oldest_age_seconds", legend: "WAL object" },
        { expr: "queue_oldest_message_age_seconds", legend: "message, {{queue}}" },
      ),
      rates("Messages retried", {
        expr: `sum by (queue, code) (rate(queue_retries_total${RATE}))`,
        legend: "{{queue}} {{code}}",
      }),
      counts("Dead letters", {
        expr: "sum by (queue, code) (dead_letters_total)",
        legend: "{{queue}} {{code}}",
      }),
    ],
  },
  {
    title: "Embedder",
    panels: [
      seconds("Requests, p95 by lane", quantile(0.95, "embedder_request_duration_seconds", "lane")),
      shares("Requests that fail", { expr: "jeeves:embedder_failed_ratio:rate5m", legend: "failed" }),
      rates("Tokens", { expr: `sum by (outcome) (rate(tokens_total${RATE}))`, legend: "{{outcome}}" }),
      rates("Chunks", { expr: `sum by (outcome) (rate(chunks_total${RATE}))`, legend: "{{outcome}}" }),
      counts("Texts waiting in the server", { expr: "te_queue_size", legend: "texts" }),
      seconds(
        "In the server, p95",
        { ...quantile(0.95, "te_request_queue_duration", ""), legend: "waiting" },
        { ...quantile(0.95, "te_request_inference_duration", ""), legend: "inference" },
      ),
    ],
  },
  {
    title: "Sessions",
    panels: [
      counts(
        "Sessions open and waiting",
        { expr: "sessions_open", legend: "open" },
        { expr: "sessions_waiting", legend: "waiting" },
      ),
      rates("Frames by what became of them", {
        expr: `sum by (status) (rate(frames_total${RATE}))`,
        legend: "{{status}}",
      }),
      rates("Micro-batches", {
        expr: `sum by (outcome) (rate(session_flushes_total${RATE}))`,
        legend: "{{outcome}}",
      }),
      counts("Segments sealed", { expr: "sum by (outcome) (session_seals_total)", legend: "{{outcome}}" }),
      counts("Segments registered", {
        expr: "sum by (outcome) (segments_registered_total)",
        legend: "{{outcome}}",
      }),
      counts("Summaries", { expr: "sum by (method) (summaries_total)", legend: "{{method}}" }),
    ],
  },
  {
    title: "Storage",
    panels: [
      sizes("Artifacts by kind", { expr: "sum by (kind) (artifact_bytes)", legend: "{{kind}}" }),
      counts("Artifacts by kind, number", { expr: "sum by (kind) (artifact_objects)", legend: "{{kind}}" }),
      sizes("Database", { expr: "database_bytes", legend: "bytes" }),
      counts("Characters by byte of the last packs", { expr: "pack_compression_ratio", legend: "characters" }),
      panel("stat", "dtdurations")(
        "Age of backup and snapshot",
        { expr: "time() - max(backup_last_timestamp_seconds)", legend: "backup" },
        { expr: "time() - max(snapshot_newest_timestamp_seconds)", legend: "snapshot" },
      ),
      counts(
        "What does not fit together",
        { expr: "sum(orphans)", legend: "orphans" },
        { expr: "sum(audit_findings)", legend: "findings of the audit" },
      ),
    ],
  },
  {
    title: "Jobs",
    panels: [
      panel("bargauge", "dtdurations")("Time since a job was last done", {
        expr: "time() - max by (job_name) (job_last_success_timestamp_seconds)",
        legend: "{{job_name}}",
      }),
      counts("Runs", {
        expr: "sum by (job_name, outcome) (job_runs_total)",
        legend: "{{job_name}} {{outcome}}",
      }),
      seconds("Duration, mean", {
        expr: "sum by (job_name) (job_duration_seconds_sum) / sum by (job_name) (job_duration_seconds_count)",
        legend: "{{job_name}}",
      }),
      counts("Comparisons of batches, by verdict", {
        expr: "sum by (verdict) (drift_comparisons_total)",
        legend: "{{verdict}}",
      }),
      shares("Golden texts, least cosine", {
        expr: 'model_golden_cosine{statistic="min"}',
        legend: "{{state}}",
      }),
      shares("Neighbours that searches by the index find", { expr: "search_recall_at_10", legend: "model {{model}}" }),
      rates("Error lines of the log", {
        expr: `sum by (event) (rate(log_errors_total${RATE}))`,
        legend: "{{event}}",
      }),
    ],
  },
];
