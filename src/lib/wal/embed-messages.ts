import { LIMITS } from "../base/limits.ts";
import type { EmbedMessage } from "../contract/queue-message.ts";
import type { DocumentRange } from "./split-ranges.ts";
import type { WalHead } from "./wal-codec.ts";
import { walKey } from "./wal-key.ts";

/** One message for each range of a WAL object, in order. The same for the first send and for every later one by the sweeper. */
export function embedMessages(head: WalHead, ranges: readonly DocumentRange[], sentAtMs: number): EmbedMessage[] {
  const key = walKey(head.tenant_id, head.wal_id);
  return ranges.map((range, index) => ({
    version: 1,
    kind: "wal_range",
    tenant_id: head.tenant_id,
    wal_id: head.wal_id,
    wal_key: key,
    batch_tag: head.batch_tag,
    range_index: index,
    range_count: ranges.length,
    document_start: range.documentStart,
    document_count: range.documentCount,
    request_id: head.request_id,
    ...(head.trace_id === undefined ? {} : { trace_id: head.trace_id }),
    ...(head.origin === undefined ? {} : { origin: head.origin }),
    sent_at_ms: sentAtMs,
  }));
}

/** Cuts messages into groups that one `sendBatch` takes, by count and by bytes. Messages are ASCII, so characters are bytes. */
export function sendBatches<T>(
  messages: readonly T[],
  limits: { messagesMax: number; bytesMax: number } = {
    messagesMax: LIMITS.queueSendBatchMax,
    bytesMax: LIMITS.queueSendBatchBytesMax,
  },
): T[][] {
  const groups: T[][] = [];
  let group: T[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = JSON.stringify(message).length;
    if (group.length > 0 && (group.length >= limits.messagesMax || bytes + size > limits.bytesMax)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(message);
    bytes += size;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
