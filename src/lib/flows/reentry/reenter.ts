import { utf8Bytes } from "../../base/bytes.ts";
import type { Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import { storeRequest, type StoreContext, type StoredRequest } from "../ingest/store-request.ts";

export interface Reentry {
  /** Of the request the documents came with: its versions of gate, rules and policy go on with them. */
  readonly head: WalHead;
  /** Of the request that they come again with; also the name of its batch. */
  readonly walId: string;
  readonly receivedAtMs: number;
  /** Each with `curation.reentry`; their places are those in the new request. */
  readonly documents: readonly WalDocument[];
}

/**
 * Sends documents through the front door again, after a decision of ours: a WAL object and its pointers, as durable and as repeatable as a
 * client's request. Their batch is their own, so that the counts of the batch they came with stay what they were. Errors: calling it again
 * with the same WAL id completes it.
 */
export function reenter(context: StoreContext, entry: Reentry): Promise<Result<StoredRequest, Problem>> {
  const { origin: _origin, ...head } = entry.head;
  return storeRequest(context, {
    head: { ...head, wal_id: entry.walId, batch_tag: entry.walId, received_at_ms: entry.receivedAtMs },
    documents: entry.documents.map((document, index) => ({ ...document, document_index: index })),
    textBytes: entry.documents.map((document) => utf8Bytes(document.text ?? "").length),
    replayed: true,
  });
}
