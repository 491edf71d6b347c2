import type { Message, MessageBatch } from "@cloudflare/workers-types";
import type { Clock, Random } from "../lib/base/clock.ts";
import type { Log } from "../lib/base/log.ts";
import type { InTrace } from "../lib/base/trace.ts";
import { embedMessageSchema, sealMessageSchema } from "../lib/contract/queue-message.ts";
import { type DeadLetterRow, insertDeadLetters } from "../lib/db/queries/dead-letters.ts";
import type { Sql } from "../lib/db/sql.ts";
import { retryDelaySeconds } from "./disposition.ts";
import { sealDeadLetter } from "./seal-dead-letter.ts";

export interface DeadLetterContext {
  readonly sql: Sql;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
  readonly inTrace: InTrace;
  /** Is told of each dead letter that was listed. */
  readonly noteListed: (letter: { readonly queue: string; readonly code: string }) => void;
}

/** Owner of dead letters that belong to no tenant: their message could not be read. */
const SYSTEM_TENANT_ID = "system";

const EXHAUSTED = "attempts_exhausted";
const NOWHERE = { walKey: null, walId: null, rangeIndex: null, documentIndex: null, chunkIndex: null } as const;

/**
 * Lists what a queue gave up on. A range whose attempts were used up by an outage keeps no ledger row, so the sweeper
 * sends it again, and a segment is announced again by its log: this row is the evidence, not the end. Retries while the database cannot take it.
 */
export async function consumeDeadLetterBatch(batch: MessageBatch, context: DeadLetterContext): Promise<void> {
  await Promise.all(batch.messages.map((message) => consumeMessage(message, batch.queue, context)));
}

function consumeMessage(message: Message, deadLetterQueue: string, context: DeadLetterContext): Promise<void> {
  const traceId = embedMessageSchema.safeParse(message.body).data?.trace_id;
  return context.inTrace(traceId, () => listDeadLetter(message, deadLetterQueue, context));
}

async function listDeadLetter(message: Message, deadLetterQueue: string, context: DeadLetterContext): Promise<void> {
  const { tenantId, row } = deadLetterOf(message, deadLetterQueue);
  const written = await context.sql.transaction({ tenantId, userId: "*" }, [insertDeadLetters(tenantId, [row])]);
  const facts = { tenant_id: tenantId, code: row.code, message_id: message.id, listed: written.ok };
  context.log.error("dead_letter", facts);
  if (written.ok) {
    context.noteListed({ queue: row.queue, code: row.code });
    message.ack();
  } else message.retry({ delaySeconds: retryDelaySeconds(message.attempts, context.random) });
}

/** Whose the message is and what is listed of it, by what it is: the queues of two kinds of work end here. */
function deadLetterOf(
  message: Message,
  deadLetterQueue: string,
): { readonly tenantId: string; readonly row: DeadLetterRow } {
  const { attempts } = message;
  const range = embedMessageSchema.safeParse(message.body).data;
  if (range !== undefined) {
    const { tenant_id: tenantId, wal_id: walId, wal_key: walKey, range_index: rangeIndex } = range;
    const deadLetterId = `${walId}-range-${rangeIndex}-exhausted`;
    return {
      tenantId,
      row: { ...NOWHERE, deadLetterId, queue: "embed", code: EXHAUSTED, walKey, walId, rangeIndex, attempts },
    };
  }
  const segment = sealMessageSchema.safeParse(message.body).data;
  if (segment !== undefined)
    return { tenantId: segment.tenant_id, row: sealDeadLetter({ body: segment, code: EXHAUSTED, attempts }) };
  const row = {
    ...NOWHERE,
    deadLetterId: message.id,
    queue: queueBehind(deadLetterQueue),
    code: "message_malformed",
    attempts,
  };
  return { tenantId: SYSTEM_TENANT_ID, row };
}

/** "jeeves-seal-dlq" takes what "seal" gave up. */
function queueBehind(deadLetterQueue: string): string {
  return deadLetterQueue.replace(/^jeeves-/, "").replace(/-dlq$/, "");
}
