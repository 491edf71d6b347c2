import type { Message, MessageBatch } from "@cloudflare/workers-types";
import { ok, type Result } from "../lib/base/result.ts";
import type { InTrace } from "../lib/base/trace.ts";
import { sealMessageSchema, type SealMessage } from "../lib/contract/queue-message.ts";
import { type DeadLetterRow, insertDeadLetters } from "../lib/db/queries/dead-letters.ts";
import type { SqlError } from "../lib/db/sql.ts";
import type { SealContext } from "../lib/flows/sessions/context.ts";
import { registerSegment, type SealReport } from "../lib/flows/sessions/register-segment.ts";
import { readMessage } from "./read-message.ts";
import { sealDeadLetter } from "./seal-dead-letter.ts";
import { sealDispositionOf } from "./seal-disposition.ts";
import { type MessageContext, type MessageEnd, type MessageMetrics, settleFailure } from "./settle-message.ts";

export interface SealConsumerContext extends SealContext, MessageContext {
  readonly inTrace: InTrace;
  readonly metrics: MessageMetrics & { readonly registered: (report: SealReport) => void };
}

const QUEUE = "seal";
const TRACE_ID_DIGITS = 32;

/**
 * Registers the segments of a batch, one after the other: each reads up to 64 MB, and a session's segments build on one another, so that they are taken as they
 * were made. Never throws for a message.
 */
export async function consumeSealBatch(batch: MessageBatch, context: SealConsumerContext): Promise<void> {
  const read = batch.messages.flatMap((message) => {
    const body = readMessage(message, { schema: sealMessageSchema, queue: QUEUE }, context);
    return body === undefined ? [] : [{ message, body }];
  });
  read.sort((a, b) => a.body.created_at_ms - b.body.created_at_ms);
  for (const { message, body } of read) await consumeMessage(message, body, context);
}

/** In a trace of the segment's own, the same at each attempt: it was made by the session's clock and no request. */
function consumeMessage(message: Message, body: SealMessage, context: SealConsumerContext): Promise<void> {
  return context.inTrace(body.sha256.slice(0, TRACE_ID_DIGITS), () => register(message, body, context));
}

async function register(message: Message, body: SealMessage, context: SealConsumerContext): Promise<void> {
  const startedAtMs = context.clock();
  const result = await registerSegment(context, body, message.attempts);
  const durationMs = context.clock() - startedAtMs;
  const facts = {
    request_id: body.request_id,
    tenant_id: body.tenant_id,
    first_seq: body.first_seq,
    last_seq: body.last_seq,
    attempts: message.attempts,
    duration_ms: durationMs,
  };
  context.metrics.ended({ outcome: outcomeOf(result), durationMs });
  if (result.ok) {
    message.ack();
    context.metrics.registered(result.value);
    context.log.info("segment_registered", { ...facts, outcome: result.value.outcome });
    return;
  }
  const disposition = sealDispositionOf(result.error, message.attempts, context.random);
  context.log.warn("segment_failed", { ...facts, code: result.error.code, action: disposition.action });
  const bury = (code: string): Promise<Result<null, SqlError>> =>
    listSegment(context, body, sealDeadLetter({ body, code, attempts: message.attempts }));
  await settleFailure(message, { error: result.error, disposition, bury }, context);
}

function outcomeOf(result: Result<SealReport, unknown>): MessageEnd["outcome"] {
  if (!result.ok) return "failed";
  return result.value.outcome === "repeated" ? "repeated" : "applied";
}

/** Lists a segment that cannot be registered as it is. The log announces it again until it can: the row is the evidence, written once. */
async function listSegment(
  { sql }: SealConsumerContext,
  { tenant_id: tenantId }: SealMessage,
  row: DeadLetterRow,
): Promise<Result<null, SqlError>> {
  const written = await sql.transaction({ tenantId, userId: "*" }, [insertDeadLetters(tenantId, [row])]);
  return written.ok ? ok(null) : written;
}
