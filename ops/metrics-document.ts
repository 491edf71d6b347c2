import { BUCKETS_SECONDS, METRICS } from "../src/lib/metrics/metric-names.ts";

/** docs/metrics.md, made of the table of metrics. */
export function metricsDocument(): string {
  return `# Metrics

What \`GET /metrics\` shows, in Prometheus' text format. Made of \`src/lib/metrics/metric-names.ts\` by \`npm run metrics\`; a test holds the two together. Alerts and their runbook: [operations.md](operations.md).
Dashboard and Prometheus: [../ops/README.md](../ops/README.md#prometheus-and-grafana).

\`\`\`sh
curl -s -H "authorization: Bearer $METRICS_TOKEN" https://…/metrics        # or an operator's key
\`\`\`

**Where the numbers come from.** Each isolate gathers counters and histograms and sends them once a second to one Durable Object, the hub, which adds each flush once. So one scrape tells of all isolates, and counters outlive
deployments. Gauges come from where they are cheap to tell: *of jobs*, set at the end of a run (as old as that run; \`job_last_success_timestamp_seconds\` says how old), and *at the scrape* (queues, sessions, whether parts can be
used, the schedule). A round of the sweeper tells the backlog as a by-product, so \`wal_backlog_*\` cost nothing; the job \`measure\` asks each tenant's rows every five minutes, since row-level security lets nobody ask all at once.

**Bounds.** No label has a tenant, a user, a tag or a text for a value. Sources are named by clients: an isolate tells the first 50 plain names apart, the hub keeps 1,000 series of sources, all others are \`other\`. The hub keeps 5,000 series; what is
beyond is counted in \`metrics_dropped_total\`. Proof: \`test/unit/metrics/bounds.test.ts\`, \`test/workerd/curation.test.ts\`, and \`promtool check metrics\` in \`test/unit/ops/prometheus.test.ts\`.

**Counters from zero.** Counters that alerts watch are shown as 0 before their first event (\`isolation_violations_total\` for every place, \`dead_letters_total\`), since Prometheus sees no increase in a series that begins at 1.

**Names.** \`fallback_fraction\` is recorded as \`fallback_fraction_gauge\` by \`ops/prometheus/rules/recording.yml\`: promtool refuses a metric whose name has its type in it. A job is labelled \`job_name\`, since Prometheus labels its targets \`job\`.
The embedder's own metrics are those of text-embeddings-inference (\`te_…\`), on its \`/metrics\`.

${metricsTable()}

## Bounds of the histograms

${bucketsTable()}

## Traces
A request belongs to a W3C trace: the client's, if it sends a \`traceparent\` (read strictly; what is malformed counts as absent, \`tracestate\` is not carried), else one that has the request's own id without its dashes. The id goes

| through | as |
| --- | --- |
| the reply | \`traceparent\`, with a stretch of our own; and \`x-request-id\`, a UUID of version 7 |
| every log line | \`trace_id\` |
| WAL object, queue message | field \`trace_id\` (of a micro-batch: that of the request that opened it) |
| embedder | header \`traceparent\` |
| database | \`application_name\` of each transaction: \`jeeves <trace id>\` in \`pg_stat_activity\` and, with \`%a\` in \`log_line_prefix\`, in the server's log. Set by the statement that sets the scope, so it costs no round trip |
| WebSocket | all messages of a socket belong to the trace of its upgrade |
| segment | a trace of its own: the first 32 digits of its SHA-256, the same at each attempt |
| job | the trace of the request that started it, else one of its own |

\`jeeves trace <request_id|token|batch_tag>\` tells the life of a request as a time line, from what is stored: object, ledger, receipts, dead letters, decisions on quarantine, reports; no log is searched. A request id says when
the request came, so its WAL object is found among those of the next five minutes. A frame that joined an open micro-batch and a replay of an \`Idempotency-Key\` are found by their \`token\`. Where the WAL object is gone (packed, or
retention), token and batch tag still find what the ledger knows.
`;
}

function metricsTable(): string {
  const rows = Object.entries(METRICS)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { type, labels, help }]) => {
      const named = labels.map((label) => `\`${label}\``).join(" ");
      return `| \`${name}\` | ${type} | ${named} | ${help.replaceAll("|", "\\|")} |`;
    });
  return ["| metric | type | labels | what it says |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function bucketsTable(): string {
  const rows = Object.entries(BUCKETS_SECONDS).map(([name, bounds]) => `| \`${name}\` | ${bounds.join(" ")} |`);
  return ["| histogram | upper bounds, seconds |", "| --- | --- |", ...rows].join("\n");
}
