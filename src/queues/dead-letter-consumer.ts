import type { Message, MessageBatch } from "@cloudflare/workers-types";
import type { Clock, Random } from "../lib/base/clock.ts";
import type { Log } from "../lib/base/log.ts";
import { embedMessageSchema } from "../lib/contract/queue-message.ts";
import { insertDeadLetters } from "../lib/db/queries/dead-letters.ts";
import type { Sql } from "../lib/db/sql.ts";
import { retryDelaySeconds } from "./disposition.ts";

export interface DeadLetterContext {
  readonly sql: Sql;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: Random;
}

/** Owner of dead letters that belong to no tenant: their message could not be read. */
const SYSTEM_TENANT_ID = "system";

/**
 * Lists what a queue gave up on. A range whose attempts were used up by an outage keeps no ledger row, so the sweeper
 * sends it again: this row is the evidence, not the end. Retries while the database cannot take it.
 */
export async function consumeDeadLetterBatch(batch: MessageBatch, context: DeadLetterContext): Promise<void> {
  await Promise.all(batch.messages.map((message) => listDeadLetter(message, context)));
}

async function listDeadLetter(message: Message, context: DeadLetterContext): Promise<void> {
  const parsed = embedMessageSchema.safeParse(message.body);
  const tenantId = parsed.success ? parsed.data.tenant_id : SYSTEM_TENANT_ID;
  const code = parsed.success ? "attempts_exhausted" : "message_malformed";
  const written = await context.sql.transaction({ tenantId, userId: "*" }, [
    insertDeadLetters(tenantId, [
      {
        deadLetterId: parsed.success ? `${parsed.data.wal_id}-range-${parsed.data.range_index}-exhausted` : message.id,
        queue: "embed",
        code,
        walKey: parsed.success ? parsed.data.wal_key : null,
        walId: parsed.success ? parsed.data.wal_id : null,
        rangeIndex: parsed.success ? parsed.data.range_index : null,
        documentIndex: null,
        chunkIndex: null,
        attempts: message.attempts,
      },
    ]),
  ]);
  context.log.error("dead_letter", { tenant_id: tenantId, code, message_id: message.id, listed: written.ok });
  if (written.ok) message.ack();
  else message.retry({ delaySeconds: retryDelaySeconds(message.attempts, context.random) });
}
