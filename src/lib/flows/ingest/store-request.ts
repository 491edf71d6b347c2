/** The durable part of accepting a request: its WAL object, its batch marker, its pointers. The order is the promise. */
import type { Queue, R2Bucket } from "@cloudflare/workers-types";
import { hexOf } from "../../base/bytes.ts";
import type { Clock } from "../../base/clock.ts";
import { LIMITS } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { EmbedMessage } from "../../contract/queue-message.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { createObject, CREATE_OPTIONS, type CreateError, type NewObject } from "../../bucket/create-object.ts";
import { embedMessages, sendBatches } from "../../wal/embed-messages.ts";
import { splitRanges, type DocumentRange } from "../../wal/split-ranges.ts";
import { userMarks } from "../../wal/user-marks.ts";
import { encodeWal, type WalHead } from "../../wal/wal-codec.ts";
import { batchMarkerKey, walKey } from "../../wal/wal-key.ts";
import { storageUnavailable } from "../problem-of.ts";

export interface StoreContext {
  readonly bucket: R2Bucket;
  readonly embedQueue: Pick<Queue<EmbedMessage>, "send" | "sendBatch">;
  readonly clock: Clock;
}

/** Whether all ranges are in the queue; otherwise the sweeper sends them. */
export interface StoredRequest {
  readonly queued: boolean;
}

export interface RequestToStore {
  readonly head: WalHead;
  readonly documents: readonly WalDocument[];
  /** UTF-8 bytes of each text, 0 where there is none. */
  readonly textBytes: readonly number[];
  /** The request may have been stored before: other bytes under its key are as good as these. */
  readonly replayed: boolean;
}

/** Stores a request once, however often it is called for it. A problem means that calling again completes it. */
export async function storeRequest(
  context: StoreContext,
  { head, documents, textBytes, replayed }: RequestToStore,
): Promise<Result<StoredRequest, Problem>> {
  const ranges = splitRanges(textBytes, {
    textBytesMax: LIMITS.rangeTextBytesMax,
    documentsMax: LIMITS.rangeDocumentsMax,
  });
  const stored = await storeWal(context.bucket, { head, documents, ranges, replayed });
  if (!stored.ok) return stored;
  // The marker follows the WAL object, so that a batch never waits for inputs that are not there.
  const [marked, queued] = await Promise.all([
    storeMarker(context.bucket, head, documents.length),
    send(context, embedMessages(head, ranges, context.clock())),
  ]);
  if (!marked.ok) return marked;
  // A replay may complete a request so old that the sweeper has passed it: its client has to come again.
  return replayed && !queued ? err(storageUnavailable()) : ok({ queued });
}

interface Storing extends Omit<RequestToStore, "textBytes"> {
  readonly ranges: readonly DocumentRange[];
}

async function storeWal(
  bucket: R2Bucket,
  { head, documents, ranges, replayed }: Storing,
): Promise<Result<void, Problem>> {
  const { bytes, digest } = encodeWal(head, documents, ranges);
  const wal: NewObject = {
    key: walKey(head.tenant_id, head.wal_id),
    bytes,
    contentHash: hexOf(digest),
    metadata: {
      batch_tag: head.batch_tag,
      documents: String(documents.length),
      ranges: String(ranges.length),
      request_id: head.request_id,
      ...userMarks(
        head.tenant_id,
        documents.map((document) => document.user_id),
      ),
    },
    mediaType: "application/octet-stream",
  };
  const created = await createObject(bucket, wal, CREATE_OPTIONS);
  // A replay after a change of the gate or the codec makes other bytes of the same request: the ones that lie there are as good.
  if (created.ok || (replayed && created.error.code === "object_differs")) return ok(undefined);
  return err(storeProblem(created.error));
}

/** The marker of a batch that its client named; see docs/decisions/0001-batch-markers.md. A batch of our own making has no end that anyone waits for. */
async function storeMarker(bucket: R2Bucket, head: WalHead, documentCount: number): Promise<Result<void, Problem>> {
  if (head.batch_tag === head.wal_id || head.origin !== undefined) return ok(undefined);
  const marker: NewObject = {
    key: batchMarkerKey(head.tenant_id, head.batch_tag, head.wal_id),
    bytes: new Uint8Array(0),
    contentHash: head.wal_id,
    metadata: { batch_tag: head.batch_tag, documents: String(documentCount) },
    mediaType: "application/octet-stream",
  };
  const created = await createObject(bucket, marker, CREATE_OPTIONS);
  return created.ok ? ok(undefined) : err(storeProblem(created.error));
}

function storeProblem(error: CreateError): Problem {
  // Two requests with one ulid: 80 random bits in one millisecond say that this does not happen.
  return error.code === "object_differs" ? { code: "internal" } : storageUnavailable();
}

/** How long the queue may take, milliseconds: past it the sweeper sends, and the client has its reply. */
const SEND_TIMEOUT_MS = 5_000;

async function send(context: StoreContext, messages: readonly EmbedMessage[]): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<false>();
  const timer = setTimeout(() => resolve(false), SEND_TIMEOUT_MS);
  try {
    return await Promise.race([sendAll(context, messages), timeout]);
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}

async function sendAll(context: StoreContext, messages: readonly EmbedMessage[]): Promise<true> {
  const [first] = messages;
  if (messages.length === 1 && first !== undefined) {
    await context.embedQueue.send(first, { contentType: "json" });
    return true;
  }
  for (const group of sendBatches(messages)) {
    await context.embedQueue.sendBatch(group.map((body) => ({ body, contentType: "json" })));
  }
  return true;
}
