import type { Message, MessageBatch } from "@cloudflare/workers-types";
import type { Random } from "../lib/base/clock.ts";
import type { Log } from "../lib/base/log.ts";
import type { Result } from "../lib/base/result.ts";
import type { InTrace } from "../lib/base/trace.ts";
import { sealMessageSchema, type SealMessage } from "../lib/contract/queue-message.ts";
import { insertDeadLetters } from "../lib/db/queries/dead-letters.ts";
import type { SealContext } from "../lib/flows/sessions/context.ts";
import { registerSegment, type SealReport } from "../lib/flows/sessions/register-segment.ts";
import type { MessageEnd } from "./message-end.ts";
import { retryDelaySeconds } from "./disposition.ts";
import { sealDeadLetter } from "./seal-dead-letter.ts";
import { sealDispositionOf } from "./seal-disposition.ts";

export interface SealConsumerContext extends SealContext {
  readonly log: Log;
  readonly random: Random;
  readonly inTrace: InTrace;
  readonly metrics: {
    readonly ended: (end: MessageEnd) => void;
    readonly registered: (report: SealReport) => void;
    readonly retried: (code: string) => void;
    readonly buried: (code: string) => void;
  };
}

const QUEUE = "seal";
const TRACE_ID_DIGITS = 32;

/**
 * Registers the segments of a batch, one after the other: each reads up to 64 MB, and a session's segments build on one another, so that they are taken as they
 * were made. Never throws for a message.
 */
export async function consumeSealBatch(batch: MessageBatch, context: SealConsumerContext): Promise<void> {
  const parsed = batch.messages.map((message) => ({ message, body: sealMessageSchema.safeParse(message.body) }));
  parsed.sort((a, b) => (a.body.data?.created_at_ms ?? 0) - (b.body.data?.created_at_ms ?? 0));
  for (const { message, body } of parsed) {
    if (body.success) await consumeMessage(message, body.data, context);
    else {
      // The dead-letter consumer lists it: a message that cannot be read has no tenant whose rows could say so.
      context.log.error("message_malformed", { queue: QUEUE, message_id: message.id });
      context.metrics.retried("message_malformed");
      message.retry();
    }
  }
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
  if (disposition.action === "bury" && (await bury(context, { message, body, code: disposition.code }))) {
    context.metrics.buried(disposition.code);
    message.ack();
  } else {
    context.metrics.retried(result.error.code);
    const delaySeconds =
      disposition.action === "retry" ? disposition.delaySeconds : retryDelaySeconds(message.attempts, context.random);
    message.retry({ delaySeconds });
  }
}

function outcomeOf(result: Result<SealReport, unknown>): MessageEnd["outcome"] {
  if (!result.ok) return "failed";
  return result.value.outcome === "repeated" ? "repeated" : "applied";
}

interface Burial {
  readonly message: Message;
  readonly body: SealMessage;
  readonly code: string;
}

/** Lists a segment that cannot be registered as it is. The log announces it again until it can: the row is the evidence, written once. */
async function bury(context: SealConsumerContext, { message, body, code }: Burial): Promise<boolean> {
  const written = await context.sql.transaction({ tenantId: body.tenant_id, userId: "*" }, [
    insertDeadLetters(body.tenant_id, [sealDeadLetter({ body, code, attempts: message.attempts })]),
  ]);
  return written.ok;
}
