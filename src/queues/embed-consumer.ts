import type { Message, MessageBatch } from "@cloudflare/workers-types";
import type { Clock, Random } from "../lib/base/clock.ts";
import type { DriftReport } from "../lib/contract/drift.ts";
import { embedMessageSchema, type EmbedMessage } from "../lib/contract/queue-message.ts";
import type { Log } from "../lib/base/log.ts";
import type { Result } from "../lib/base/result.ts";
import type { InTrace } from "../lib/base/trace.ts";
import { Semaphore } from "../lib/base/semaphore.ts";
import { buryRange } from "../lib/flows/indexing/bury-range.ts";
import type { IndexingContext, IndexRangeError, IndexRangeReport } from "../lib/flows/indexing/context.ts";
import { indexRange } from "../lib/flows/indexing/index-range.ts";
import { writeReportIfDone, type ReportContext } from "../lib/flows/write-report.ts";
import type { MessageEnd } from "./message-end.ts";
import { dispositionOf, isSharedFailure, retryDelaySeconds } from "./disposition.ts";

export interface EmbedConsumerContext extends IndexingContext, ReportContext {
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly inTrace: InTrace;
  readonly metrics: {
    readonly ended: (end: MessageEnd) => void;
    readonly indexed: (report: IndexRangeReport) => void;
    /** A range became searchable, so long after it was accepted, milliseconds. */
    readonly searchable: (fresh: { readonly origin: EmbedMessage["origin"]; readonly afterMs: number }) => void;
    readonly retried: (code: string) => void;
    readonly buried: (code: string) => void;
    readonly compared: (comparison: Readonly<Record<"dimension" | "against" | "verdict", string>>) => void;
  };
}

/** Ranges worked on at a time: while one embeds, another loads and a third commits. More would not fill the embedder better. */
const RANGES_IN_PROGRESS_MAX = 3;

const QUEUE = "embed";

/** Applies each message of a batch on its own: ack after its commit, retry or burial by its own cause. Never throws for a message. */
export async function consumeEmbedBatch(batch: MessageBatch, context: EmbedConsumerContext): Promise<void> {
  const ranges = new Semaphore(RANGES_IN_PROGRESS_MAX);
  const touched = new Map<string, EmbedMessage>();
  let sharedFailure: IndexRangeError | undefined;
  await Promise.all(
    batch.messages.map((message) =>
      ranges.run(async () => {
        // What failed for one message of the batch on a dependency's account would fail for all: spare it the load.
        if (sharedFailure !== undefined) {
          message.retry({ delaySeconds: retryDelaySeconds(message.attempts, context.random) });
          context.metrics.retried("spared");
          return;
        }
        const outcome = await consumeMessage(message, context);
        if (outcome.failure !== undefined && isSharedFailure(outcome.failure)) sharedFailure = outcome.failure;
        if (outcome.applied !== undefined) touched.set(batchKeyOf(outcome.applied), outcome.applied);
      }),
    ),
  );
  for (const message of touched.values()) {
    // A stream has no end to report on: its object a second would be a report a second.
    if (message.origin !== undefined) continue;
    const name = { tenantId: message.tenant_id, batchTag: message.batch_tag };
    const drift = await writeReportIfDone(context, name);
    if (drift !== undefined) noteDrift(context, name.tenantId, drift);
  }
}

/** Counts each comparison, and tells the log of each dimension that has drifted: its name and figures, never a category. */
function noteDrift(context: EmbedConsumerContext, tenantId: string, drift: DriftReport): void {
  for (const against of ["previous", "baseline"] as const) {
    for (const { dimension, verdict, psi, js } of drift[against].dimensions) {
      context.metrics.compared({ dimension, against, verdict });
      if (verdict !== "drifted") continue;
      const facts = { tenant_id: tenantId, batch_tag: drift.batch_tag, dimension, against, psi, js_bits: js };
      context.log.warn("batch_drifted", facts);
    }
  }
}

function batchKeyOf(message: EmbedMessage): string {
  return `${message.tenant_id}/${message.batch_tag}`;
}

interface MessageOutcome {
  readonly applied?: EmbedMessage;
  readonly failure?: IndexRangeError;
}

async function consumeMessage(message: Message, context: EmbedConsumerContext): Promise<MessageOutcome> {
  const parsed = embedMessageSchema.safeParse(message.body);
  if (!parsed.success) {
    // The dead-letter consumer lists it: a message that cannot be read has no tenant whose rows could say so.
    context.log.error("message_malformed", { queue: QUEUE, message_id: message.id });
    context.metrics.retried("message_malformed");
    message.retry();
    return {};
  }
  return context.inTrace(parsed.data.trace_id, () => applyRange(message, parsed.data, context));
}

async function applyRange(
  message: Message,
  range: EmbedMessage,
  context: EmbedConsumerContext,
): Promise<MessageOutcome> {
  const startedAtMs = context.clock();
  const result = await indexRange(context, range);
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
    context.log.info("range_applied", { ...facts, ...logFieldsOf(result.value) });
    return { applied: range };
  }
  return settleFailure({ message, range, error: result.error, facts }, context);
}

function outcomeOf(result: Result<IndexRangeReport, unknown>): MessageEnd["outcome"] {
  if (!result.ok) return "failed";
  return result.value.alreadyApplied ? "repeated" : "applied";
}

function noteApplied({ metrics, clock }: EmbedConsumerContext, message: EmbedMessage, report: IndexRangeReport): void {
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

interface Failure {
  readonly message: Message;
  readonly range: EmbedMessage;
  readonly error: IndexRangeError;
  readonly facts: Readonly<Record<string, string | number>>;
}

async function settleFailure(
  { message, range, error, facts }: Failure,
  context: EmbedConsumerContext,
): Promise<MessageOutcome> {
  const disposition = dispositionOf(error, message.attempts, context.random);
  context.log.warn("range_failed", { ...facts, code: error.code, action: disposition.action });
  if (disposition.action === "bury") {
    const burial = { message: range, queue: QUEUE, code: disposition.code, attempts: message.attempts };
    const buried = await buryRange(context, burial);
    if (buried.ok) {
      context.metrics.buried(disposition.code);
      message.ack();
      return { applied: range };
    }
    context.metrics.retried(buried.error.code);
    message.retry({ delaySeconds: retryDelaySeconds(message.attempts, context.random) });
    return { failure: buried.error };
  }
  context.metrics.retried(error.code);
  if (disposition.action === "retry") message.retry({ delaySeconds: disposition.delaySeconds });
  return { failure: error };
}
