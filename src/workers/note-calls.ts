/** Counts calls of the database and of the embedder. */
import type { SqlCall } from "../lib/db/measured-sql.ts";
import type { EmbedCall } from "../lib/embed/measured-embedder.ts";
import type { Metrics } from "./metrics.ts";

/** Conflicts that tell their caller something: that a range was applied before, that a name is taken. */
const EXPECTED_CONFLICTS: ReadonlySet<string> = new Set(["unique_violation", "constraint_violation"]);

export function noteSqlCall(metrics: Pick<Metrics, "count" | "observe">, { kind, durationMs, error }: SqlCall): void {
  const isFailed = error !== undefined && !EXPECTED_CONFLICTS.has(error.code);
  metrics.observe("database_call_duration_seconds", { kind, outcome: isFailed ? "failed" : "ok" }, durationMs / 1000);
  if (isFailed) metrics.count("database_errors_total", { code: error.code });
}

export function noteEmbedCall(
  metrics: Pick<Metrics, "count" | "observe">,
  { lane, durationMs, code }: EmbedCall,
): void {
  const outcome = code === undefined ? "ok" : "failed";
  metrics.observe("embedder_request_duration_seconds", { lane, outcome }, durationMs / 1000);
  if (code !== undefined) metrics.count("embedder_errors_total", { code });
}
