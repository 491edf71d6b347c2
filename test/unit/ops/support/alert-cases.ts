/** For each alert: series, a time at which it is quiet, and one at which it fires. Times and values in the notation of `promtool test rules`. */
export interface AlertCase {
  readonly alert: string;
  readonly series: Readonly<Record<string, string>>;
  readonly quietAt: string;
  readonly firesAt: string;
  /** Of the alert that fires, beside its severity. */
  readonly labels?: Readonly<Record<string, string>>;
}

/** A gauge that is good for ten steps and bad from then on. */
const turning = (series: string, good: number, bad: number): AlertCase["series"] => ({
  [series]: `${good}x9 ${bad}x100`,
});

/** One sample a minute. */
export const MINUTE_CASES: readonly AlertCase[] = [
  {
    alert: "HttpErrorBudgetBurnsFast",
    series: {
      'http_requests_total{status="200"}': "0+100x120",
      'http_requests_total{status="500"}': "0x59 5+5x60",
    },
    quietAt: "55m",
    firesAt: "100m",
  },
  {
    alert: "HttpErrorBudgetBurnsSteadily",
    series: {
      'http_requests_total{status="200"}': "0+100x600",
      'http_requests_total{status="503"}': "0x299 2+2x300",
    },
    quietAt: "290m",
    firesAt: "500m",
  },
  {
    alert: "FreshnessBudgetBurnsFast",
    series: {
      ingest_freshness_seconds_count: "0+100x120",
      'ingest_freshness_seconds_bucket{le="60"}': "0+100x59 5950+50x60",
    },
    quietAt: "55m",
    firesAt: "100m",
  },
  {
    alert: "FreshnessBudgetBurnsSteadily",
    series: {
      ingest_freshness_seconds_count: "0+100x600",
      'ingest_freshness_seconds_bucket{le="60.0"}': "0+100x299 29980+80x300",
    },
    quietAt: "290m",
    firesAt: "520m",
  },
  {
    alert: "WorkerDown",
    series: turning('up{job="jeeves"}', 1, 0),
    quietAt: "9m",
    firesAt: "13m",
    labels: { job: "jeeves" },
  },
  {
    alert: "DatabaseDown",
    series: turning('dependency_ready{part="database"}', 1, 0),
    quietAt: "9m",
    firesAt: "13m",
    labels: { part: "database" },
  },
  {
    alert: "EmbedderDown",
    series: turning('dependency_ready{part="embedder"}', 1, 0),
    quietAt: "9m",
    firesAt: "13m",
    labels: { part: "embedder" },
  },
  {
    alert: "EmbedderNotScraped",
    series: turning('up{job="embedder"}', 1, 0),
    quietAt: "13m",
    firesAt: "16m",
    labels: { job: "embedder" },
  },
  {
    alert: "EmbedderFails",
    series: {
      'embedder_request_duration_seconds_count{lane="bulk",outcome="ok"}': "0+10x60",
      'embedder_request_duration_seconds_count{lane="bulk",outcome="failed"}': "0x19 5+5x40",
    },
    quietAt: "19m",
    firesAt: "40m",
  },
  {
    alert: "StorageOrQueueDown",
    series: turning('dependency_ready{part="queue"}', 1, 0),
    quietAt: "9m",
    firesAt: "13m",
    labels: { part: "queue" },
  },
  {
    alert: "BacklogOld",
    series: turning("wal_backlog_oldest_age_seconds", 300, 2_400),
    quietAt: "15m",
    firesAt: "25m",
  },
  {
    alert: "QueueOld",
    series: turning('queue_oldest_message_age_seconds{queue="embed"}', 20, 700),
    quietAt: "15m",
    firesAt: "25m",
    labels: { queue: "embed" },
  },
  {
    alert: "RetriesMany",
    series: { 'queue_retries_total{queue="embed",code="embedder_unavailable"}': "0+10x20 260+60x60" },
    quietAt: "20m",
    firesAt: "70m",
    labels: { queue: "embed" },
  },
  {
    // The reason is a new one: its series begins at 1.
    alert: "DeadLettersNew",
    series: {
      'dead_letters_total{queue="embed",code="attempts_exhausted"}': "0x60",
      'dead_letters_total{queue="embed",code="wal_damaged"}': "_x29 1x30",
    },
    quietAt: "27m",
    firesAt: "32m",
    labels: { queue: "embed" },
  },
  { alert: "SessionsFull", series: turning("sessions_waiting", 0, 3), quietAt: "15m", firesAt: "25m" },
  {
    alert: "SessionFlushesFail",
    series: { 'session_flushes_total{outcome="failed"}': "0+0.2x20 5+2x40" },
    quietAt: "19m",
    firesAt: "40m",
  },
  {
    alert: "AcceptanceLow",
    series: {
      'ingest_source_inputs_total{source="mail",outcome="accepted"}': "0+10x100",
      'ingest_source_inputs_total{source="mail",outcome="rejected"}': "0+1x40 60+20x60",
    },
    quietAt: "50m",
    firesAt: "90m",
  },
  {
    alert: "JobFails",
    series: { 'job_runs_total{job_name="sweep",outcome="internal"}': "0x29 1+1x60" },
    quietAt: "29m",
    firesAt: "40m",
    labels: { job_name: "sweep" },
  },
  { alert: "CronLineUnknown", series: { cron_unknown_total: "0x29 1x60" }, quietAt: "29m", firesAt: "32m" },
  {
    alert: "IsolationViolation",
    series: { 'isolation_violations_total{place="search"}': "0x29 1x60" },
    quietAt: "29m",
    firesAt: "32m",
    labels: { place: "search" },
  },
  { alert: "SyncWithheldRemovals", series: turning("sync_withheld_removals", 0, 900), quietAt: "9m", firesAt: "11m" },
  {
    alert: "AuditFindings",
    series: { 'audit_findings{check="ledger"}': "0x9 2x60", audit_alarming_changes: "0x80" },
    quietAt: "9m",
    firesAt: "11m",
  },
  {
    alert: "ModelDrift",
    series: turning('model_golden_cosine{state="active",statistic="min"}', 0.999, 0.7),
    quietAt: "9m",
    firesAt: "11m",
    labels: { state: "active", statistic: "min" },
  },
  {
    alert: "BatchDrift",
    series: {
      'drift_comparisons_total{dimension="language",against="baseline",verdict="stable"}': "0+1x90",
      'drift_comparisons_total{dimension="language",against="baseline",verdict="drifted"}': "1x79 2x60",
    },
    quietAt: "79m",
    firesAt: "85m",
    labels: { dimension: "language" },
  },
  { alert: "MetricsDropped", series: { metrics_dropped_total: "0x29 5x60" }, quietAt: "29m", firesAt: "32m" },
];

/** One sample an hour: these alerts wait for hours and days. */
export const HOUR_CASES: readonly AlertCase[] = [
  {
    alert: "HttpErrorBudgetBurnsSlowly",
    series: {
      'http_requests_total{status="200"}': "0+1000x120",
      'http_requests_total{status="500"}': "0x23 5+5x96",
    },
    quietAt: "23h",
    firesAt: "4d",
  },
  {
    alert: "FreshnessBudgetBurnsSlowly",
    series: {
      ingest_freshness_seconds_count: "0+1000x120",
      'ingest_freshness_seconds_bucket{le="60"}': "0+1000x23 23950+950x96",
    },
    quietAt: "23h",
    firesAt: "4d",
  },
  {
    alert: "DeadLettersOpen",
    series: turning('dead_letters_open{queue="embed"}', 0, 4),
    quietAt: "30h",
    firesAt: "36h",
    labels: { queue: "embed" },
  },
  {
    alert: "JobOverdue",
    series: {
      'job_last_success_timestamp_seconds{job_name="retention"}': "0x100",
      'job_period_seconds{job_name="retention"}': "86400x100",
      'job_budget_seconds{job_name="retention"}': "240x100",
    },
    quietAt: "48h",
    firesAt: "51h",
    labels: { job_name: "retention" },
  },
  {
    alert: "JobNeverDone",
    series: {
      'job_period_seconds{job_name="backup"}': "86400x100",
      'job_period_seconds{job_name="sweep"}': "300x100",
      'job_last_success_timestamp_seconds{job_name="sweep"}': "0x100",
    },
    quietAt: "25h",
    firesAt: "27h",
    labels: { job_name: "backup" },
  },
  {
    alert: "BackupStale",
    series: {
      'backup_last_timestamp_seconds{kind="full"}': "0x100",
      'backup_last_timestamp_seconds{kind="delta"}': "3600x100",
    },
    quietAt: "36h",
    firesAt: "40h",
  },
  { alert: "BackupMissing", series: { 'up{job="jeeves"}': "1x100" }, quietAt: "25h", firesAt: "27h" },
  { alert: "RestoreDrillStale", series: { restore_last_timestamp_seconds: "0x900" }, quietAt: "34d", firesAt: "36d" },
  { alert: "RestoreDrillMissing", series: { 'up{job="jeeves"}': "1x200" }, quietAt: "6d", firesAt: "8d" },
  {
    alert: "SnapshotStale",
    series: { 'snapshot_newest_timestamp_seconds{kind="hourly"}': "0x100" },
    quietAt: "3h",
    firesAt: "6h",
  },
  { alert: "SyncFails", series: turning("sync_failed_objects", 0, 3), quietAt: "22h", firesAt: "25h" },
  {
    alert: "OrphansFound",
    series: turning('orphans{kind="chunk_without_document"}', 0, 7),
    quietAt: "12h",
    firesAt: "14h",
    labels: { kind: "chunk_without_document" },
  },
  { alert: "AuditStale", series: { audit_last_timestamp_seconds: "0x100" }, quietAt: "50h", firesAt: "53h" },
  {
    alert: "RecallLow",
    series: turning('search_recall_at_10{model="3"}', 0.99, 0.9),
    quietAt: "11h",
    firesAt: "13h",
    labels: { model: "3" },
  },
  {
    alert: "DatabaseGrows",
    series: { database_bytes: "2000000000x20 2100000000+100000000x60" },
    quietAt: "19h",
    firesAt: "40h",
  },
  {
    alert: "ArtifactsGrow",
    series: {
      'artifact_bytes{kind="pack"}': "20000000000x20 22000000000+2000000000x60",
      'artifact_bytes{kind="backup"}': "100x80",
    },
    quietAt: "19h",
    firesAt: "40h",
  },
];
