import type { Message } from "@cloudflare/workers-types";
import type { Result } from "../lib/base/result.ts";
import type { EmbedMessage } from "../lib/contract/queue-message.ts";
import type { SqlError } from "../lib/db/sql.ts";
import { buryRange } from "../lib/flows/indexing/bury-range.ts";
import type { IndexingContext, IndexRangeError, IndexRangeReport } from "../lib/flows/indexing/context.ts";
import { rangeDispositionOf } from "./range-disposition.ts";
import { type MessageContext, type MessageEnd, type MessageMetrics, settleFailure } from "./settle-message.ts";

export const EMBED_QUEUE = "embed";

export interface SettleContext extends IndexingContext, MessageContext {
  readonly metrics: MessageMetrics & {
    readonly indexed: (report: IndexRangeReport) => void;
    /** A range became searchable, so long after it was accepted, milliseconds. */
    readonly searchable: (fresh: { readonly origin: EmbedMessage["origin"]; readonly afterMs: number }) => void;
  };
}

/** A message that names a range. */
export interface RangeDelivery {
  readonly message: Message;
  readonly range: EmbedMessage;
}

export interface RangeAttempt {
  readonly startedAtMs: number;
  readonly result: Result<IndexRangeReport, IndexRangeError>;
  /** Ranges that were committed by one transaction, this one among them. */
  readonly togetherCount: number;
}

export interface MessageOutcome {
  readonly applied?: EmbedMessage;
  readonly failure?: IndexRangeError;
}

/** Ends a message by what came of its range: ack after its commit, retry or burial by its own cause. */
export async function settleRange(
  { message, range }: RangeDelivery,
  { startedAtMs, result, togetherCount }: RangeAttempt,
  context: SettleContext,
): Promise<MessageOutcome> {
  const durationMs = context.clock() - startedAtMs;
  const facts = {
    request_id: range.request_id,
    tenant_id: range.tenant_id,
    batch_tag: range.batch_tag,
    wal_id: range.wal_id,
    range_index: range.range_index,
    attempts: message.attempts,
    duration_ms: durationMs,
  };
  context.metrics.ended({ outcome: outcomeOf(result), durationMs });
  if (result.ok) {
    message.ack();
    if (!result.value.alreadyApplied) noteApplied(context, range, result.value);
    context.log.info("range_applied", { ...facts, ...logFieldsOf(result.value), ranges_together: togetherCount });
    return { applied: range };
  }
  const disposition = rangeDispositionOf(result.error, message.attempts, context.random);
  context.log.warn("range_failed", { ...facts, code: result.error.code, action: disposition.action });
  const bury = (code: string): Promise<Result<null, SqlError>> =>
    buryRange(context, { message: range, queue: EMBED_QUEUE, code, attempts: message.attempts });
  const failure = await settleFailure(message, { error: result.error, disposition, bury }, context);
  return failure === undefined ? { applied: range } : { failure };
}

function outcomeOf(result: Result<IndexRangeReport, unknown>): MessageEnd["outcome"] {
  if (!result.ok) return "failed";
  return result.value.alreadyApplied ? "repeated" : "applied";
}

function noteApplied({ metrics, clock }: SettleContext, message: EmbedMessage, report: IndexRangeReport): void {
  metrics.indexed(report);
  metrics.searchable({ origin: message.origin, afterMs: clock() - report.receivedAtMs });
}

function logFieldsOf(report: IndexRangeReport): Record<string, number | boolean> {
  return {
    already_applied: report.alreadyApplied,
    documents: report.documentCount,
    chunks: report.chunkCount,
    chunks_reused: report.chunkReusedCount,
    chunks_failed: report.chunkFailedCount,
    tokens: report.tokenCount,
  };
}
