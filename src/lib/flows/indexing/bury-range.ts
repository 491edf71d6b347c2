import { ok, type Result } from "../../base/result.ts";
import type { EmbedMessage } from "../../contract/queue-message.ts";
import { insertDeadLetters } from "../../db/queries/dead-letters.ts";
import { insertLedgerRow } from "../../db/queries/ledger.ts";
import { addToBatch, disownErasedReceipts, insertFailedReceipts } from "../../db/queries/write-receipts.ts";
import { holdErasures } from "../../db/queries/user-erasures.ts";
import type { SqlError } from "../../db/sql.ts";
import { readWalRange } from "../../wal/read-wal-range.ts";
import { WAL_LIMITS } from "../../wal/wal-limits.ts";
import type { IndexingContext } from "./context.ts";

export interface Burial {
  readonly message: EmbedMessage;
  readonly queue: string;
  /** Why the range can never be applied: a code, never text. */
  readonly code: string;
  readonly attempts: number;
}

/**
 * Ends a range that cannot be applied: ledger row `dead`, a failed receipt for each of its inputs, a dead letter with the
 * reason, all in one transaction. The ids of the inputs come from the WAL object where it can still be read.
 */
export async function buryRange(
  context: Pick<IndexingContext, "sql" | "bucket">,
  { message, queue, code, attempts }: Burial,
): Promise<Result<null, SqlError>> {
  const inputs = await inputsOf(context, message);
  const origin = {
    tenantId: message.tenant_id,
    batchTag: message.batch_tag,
    walKey: message.wal_key,
    walId: message.wal_id,
  };
  const documentIndexes = inputs.map((input) => input.documentIndex);
  const userIds = inputs.map((input) => input.userId);
  const written = await context.sql.transaction({ tenantId: message.tenant_id, userId: "*" }, [
    holdErasures(message.tenant_id, userIds),
    insertLedgerRow(
      { tenantId: message.tenant_id, walId: message.wal_id, rangeIndex: message.range_index },
      { batchTag: message.batch_tag, state: "dead", documentCount: message.document_count },
    ),
    insertFailedReceipts(origin, inputs, code),
    disownErasedReceipts(origin, documentIndexes),
    insertDeadLetters(message.tenant_id, [
      {
        deadLetterId: `${message.wal_id}-range-${message.range_index}`,
        queue,
        code,
        walKey: message.wal_key,
        walId: message.wal_id,
        rangeIndex: message.range_index,
        documentIndex: null,
        chunkIndex: null,
        attempts,
      },
    ]),
    addToBatch(origin, documentIndexes),
  ]);
  // Another delivery applied or buried it first: then there is nothing left to end.
  if (!written.ok && written.error.code === "unique_violation") return ok(null);
  return written.ok ? ok(null) : written;
}

async function inputsOf(
  context: Pick<IndexingContext, "bucket">,
  message: EmbedMessage,
): Promise<readonly { readonly documentIndex: number; readonly userId: string; readonly documentId: string }[]> {
  const range = await readWalRange(context.bucket, message.wal_key, message.range_index, WAL_LIMITS);
  const documents = range.ok ? range.value.documents : [];
  return Array.from({ length: message.document_count }, (_, offset) => {
    const documentIndex = message.document_start + offset;
    const document = documents[offset];
    return { documentIndex, userId: document?.user_id ?? "", documentId: document?.document_id ?? "" };
  });
}
