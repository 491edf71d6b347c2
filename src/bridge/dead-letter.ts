import { BRIDGE_LIMITS } from "./bridge-limits.ts";
import type { MessageRefusal } from "./parse-message.ts";
import type { RedisClient } from "./redis-connection.ts";

/** What is kept of a message that will never be accepted. */
export interface DeadLetter {
  /** The stream that it goes to, and how many entries that holds, about: Redis trims whole nodes of its tree. */
  readonly toStream: string;
  readonly lettersMax: number;
  /** Stream or channel that it came from, and its entry id ('' from a channel). */
  readonly from: string;
  readonly id: string;
  readonly refusal: MessageRefusal;
  readonly message: Uint8Array | undefined;
}

type Transaction = ReturnType<RedisClient["multi"]>;

/** Adds it to a transaction. Fields: from, id, code, detail, size_bytes, and message unless that is too large to keep. */
export function addLetter(transaction: Transaction, letter: DeadLetter): Transaction {
  const { refusal, message } = letter;
  const fields: Record<string, string | Buffer> = {
    from: letter.from,
    id: letter.id,
    code: refusal.code,
    detail: refusal.detail,
    size_bytes: String(message?.length ?? 0),
  };
  if (message !== undefined && message.length <= BRIDGE_LIMITS.deadLetterBytesMax)
    fields["message"] = Buffer.from(message);
  return transaction.xAdd(letter.toStream, "*", fields, {
    TRIM: { strategy: "MAXLEN", strategyModifier: "~", threshold: letter.lettersMax },
  });
}
