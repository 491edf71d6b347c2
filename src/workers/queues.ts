/** Which consumer a queue has. */
import type { MessageBatch } from "@cloudflare/workers-types";
import { Semaphore } from "../lib/base/semaphore.ts";
import type { IndexRangeReport } from "../lib/flows/indexing/context.ts";
import { consumeDeadLetterBatch, type DeadLetterContext } from "../queues/dead-letter-consumer.ts";
import { consumeEmbedBatch } from "../queues/embed-consumer.ts";
import { consumeSealBatch } from "../queues/seal-consumer.ts";
import type { MessageMetrics } from "../queues/settle-message.ts";
import type { Context } from "./context.ts";
import { inTrace } from "./trace-scope.ts";

/** Embedding requests of one invocation at a time: a Worker has six connections, and the database and R2 need some of them. */
const EMBED_REQUESTS_MAX = 3;

const CONSUMERS: ReadonlyMap<string, (batch: MessageBatch, context: Context) => Promise<void>> = new Map([
  ["jeeves-embed", consumeRanges],
  ["jeeves-embed-dlq", consumeDeadLetters],
  ["jeeves-seal", consumeSegments],
  ["jeeves-seal-dlq", consumeDeadLetters],
]);

/** Hands a batch to its consumer. A queue that nobody knows is retried, so that a deployment in between loses nothing. */
export async function consume(batch: MessageBatch, context: Context): Promise<void> {
  const consumer = CONSUMERS.get(batch.queue);
  if (consumer !== undefined) return consumer(batch, context);
  context.log.error("queue_unknown", { queue: batch.queue });
  batch.retryAll({ delaySeconds: 60 });
}

function consumeRanges(batch: MessageBatch, context: Context): Promise<void> {
  const { metrics } = context;
  return consumeEmbedBatch(batch, {
    ...context,
    inTrace,
    embedRequests: new Semaphore(EMBED_REQUESTS_MAX),
    metrics: {
      ...messageMetrics(metrics, "embed"),
      indexed: (report) => countIndexed(metrics, report),
      searchable: ({ origin = "request", afterMs }) =>
        metrics.observe("ingest_freshness_seconds", { origin }, afterMs / 1000),
      compared: (comparison) => metrics.count("drift_comparisons_total", comparison),
    },
  });
}

function consumeSegments(batch: MessageBatch, context: Context): Promise<void> {
  const { metrics, log } = context;
  return consumeSealBatch(batch, {
    ...context,
    inTrace,
    embedRequests: new Semaphore(EMBED_REQUESTS_MAX),
    noteRegistered: (session, firstSeq) => context.sessionLog(session).noteRegistered({ firstSeq }),
    noteFallback: (code) => {
      log.warn("summary_fallback", { code });
      metrics.count("summaries_total", { method: "fallback" });
    },
    metrics: {
      ...messageMetrics(metrics, "seal"),
      registered: ({ outcome, methods }) => {
        metrics.count("segments_registered_total", { outcome });
        for (const method of methods) metrics.count("summaries_total", { method });
      },
    },
  });
}

function consumeDeadLetters(batch: MessageBatch, context: Context): Promise<void> {
  const noteListed: DeadLetterContext["noteListed"] = (letter) => context.metrics.count("dead_letters_total", letter);
  return consumeDeadLetterBatch(batch, { ...context, inTrace, noteListed });
}

/** What both consumers count alike. */
function messageMetrics(metrics: Context["metrics"], queue: "embed" | "seal"): MessageMetrics {
  return {
    ended: ({ outcome, durationMs }) =>
      metrics.observe("queue_message_duration_seconds", { queue, outcome }, durationMs / 1000),
    retried: (code) => metrics.count("queue_retries_total", { queue, code }),
    buried: (code) => metrics.count("dead_letters_total", { queue, code }),
  };
}

function countIndexed(metrics: Context["metrics"], report: IndexRangeReport): void {
  metrics.count("ingest_processed_total", { outcome: "indexed" }, report.indexedCount);
  metrics.count("ingest_processed_total", { outcome: "unchanged" }, report.unchangedCount);
  metrics.count("ingest_processed_total", { outcome: "duplicate" }, report.duplicateCount);
  metrics.count(
    "chunks_total",
    { outcome: "embedded" },
    report.chunkCount - report.chunkReusedCount - report.chunkFailedCount,
  );
  metrics.count("chunks_total", { outcome: "reused" }, report.chunkReusedCount);
  metrics.count("chunks_total", { outcome: "failed" }, report.chunkFailedCount);
  metrics.count("tokens_total", { outcome: "embedded" }, report.tokenCount - report.tokenReusedCount);
  metrics.count("tokens_total", { outcome: "reused" }, report.tokenReusedCount);
  metrics.count("dead_letters_total", { queue: "embed", code: "text_refused" }, report.chunkFailedCount);
}
