/**
 * The edge path of an ingest: verdicts, then one object in R2, then pointers in the queue, then the reply. Postgres has no part in it.
 * Order is the promise: nothing is said to be accepted before R2 has it, and what R2 has the sweeper finds even if the queue never did.
 */
import type { Queue, R2Bucket } from "@cloudflare/workers-types";
import { hexOf } from "../base/bytes.ts";
import type { Clock } from "../base/clock.ts";
import { receiptId } from "../base/document-uid.ts";
import { isUlid, type Ulid } from "../base/ids.ts";
import { LIMITS } from "../base/limits.ts";
import { err, ok, type Result } from "../base/result.ts";
import { BODY_LIMITS } from "../body/body-limits.ts";
import { decodeBody, type BodyHeaders } from "../body/decode-body.ts";
import type { AcceptReply } from "../contract/accept-reply.ts";
import type { Principal } from "../contract/principal.ts";
import type { Problem } from "../contract/problem.ts";
import type { EmbedMessage } from "../contract/queue-message.ts";
import { batchTagSchema } from "../contract/scope.ts";
import type { WalDocument } from "../contract/wal-record.ts";
import { GATE_VERSION } from "../gate/profile.ts";
import { createObject, CREATE_OPTIONS, type CreateError, type NewObject } from "../wal/create-object.ts";
import { embedMessages, sendBatches } from "../wal/embed-messages.ts";
import { splitRanges, type DocumentRange } from "../wal/split-ranges.ts";
import { encodeWal, type WalHead } from "../wal/wal-codec.ts";
import { batchMarkerKey, walKey } from "../wal/wal-key.ts";
import { isIdempotencyKey, rememberReply, requestHash } from "./idempotency.ts";
import { judgeInputs, type JudgedInput } from "./judge-inputs.ts";
import { storageUnavailable } from "./problem-of.ts";

export interface AcceptContext {
  readonly bucket: R2Bucket;
  readonly embedQueue: Pick<Queue<EmbedMessage>, "send" | "sendBatch">;
  readonly clock: Clock;
  readonly newUlid: () => Ulid;
}

export interface AcceptRequest {
  readonly principal: Principal;
  readonly requestId: string;
  readonly body: Uint8Array;
  readonly headers: BodyHeaders;
  /** From the query; a tag inside the body is the other way to name a batch. */
  readonly batchTag: string | null;
  readonly idempotencyKey: string | null;
}

export interface Accepted {
  readonly reply: AcceptReply;
  /** The reply was given before, to the same Idempotency-Key. */
  readonly replayed: boolean;
  /** All ranges are in the queue; otherwise the sweeper sends them. */
  readonly queued: boolean;
  readonly documents: readonly WalDocument[];
}

/** Accepts one request. A problem means that nothing was stored, or that what was stored is completed by sending the request again. */
export async function accept(context: AcceptContext, request: AcceptRequest): Promise<Result<Accepted, Problem>> {
  const nowMs = context.clock();
  if (request.idempotencyKey !== null && !isIdempotencyKey(request.idempotencyKey))
    return err({ code: "idempotency_key_invalid" });
  const decoded = decodeBody(request.body, request.headers, BODY_LIMITS);
  if (!decoded.ok) return decoded;
  const named = chosenTag(decoded.value.batchTag, request.batchTag);
  if (!named.ok) return named;
  const inputs = judgeInputs(decoded.value.candidates, { boundUserId: request.principal.userId, nowMs });
  const walId = context.newUlid();
  const fresh = {
    version: 1 as const,
    wal_id: walId,
    request_id: request.requestId,
    received_at_ms: nowMs,
    reply: replyOf(walId, named.value ?? walId, inputs),
  };
  if (request.idempotencyKey === null) return store(context, { request, inputs, remembered: fresh, replayed: false });
  const use = {
    principal: request.principal,
    key: request.idempotencyKey,
    requestHash: await requestHash(named.value ?? "", request.headers.contentType, request.body),
  };
  const remembered = await rememberReply(context.bucket, use, fresh);
  return remembered.ok ? store(context, { request, inputs, ...remembered.value }) : remembered;
}

/** The batch tag of the body or of the query. Tags in the form of a ulid are ours: they name the batch of one unnamed request. */
function chosenTag(inBody: unknown, inQuery: string | null): Result<string | undefined, Problem> {
  const chosen = inBody ?? inQuery ?? undefined;
  if (chosen === undefined) return ok(undefined);
  const tag = batchTagSchema.safeParse(chosen);
  const wrong = { code: inBody === undefined ? "parameter_invalid" : "body_invalid", pointer: "/batch_tag" } as const;
  if (!tag.success)
    return err({ ...wrong, detail: "a batch_tag is 1 to 64 of A-Z a-z 0-9 . _ - and starts with a letter or a digit" });
  return isUlid(tag.data) ? err({ ...wrong, detail: "tags in the form of a ulid are reserved" }) : ok(tag.data);
}

function replyOf(walId: Ulid, batchTag: string, inputs: readonly JudgedInput[]): AcceptReply {
  const counts = { accepted: 0, quarantined: 0, rejected: 0 };
  const receipts = inputs.map(({ document }) => {
    counts[document.verdict]++;
    return {
      id: receiptId(walId, document.document_index),
      index: document.document_index,
      document_id: document.document_id,
      status: document.verdict,
      reasons: document.reasons,
    };
  });
  return { batch_tag: batchTag, token: walId, ...counts, receipts };
}

interface Work {
  readonly request: AcceptRequest;
  readonly inputs: readonly JudgedInput[];
  readonly remembered: {
    readonly wal_id: Ulid;
    readonly request_id: string;
    readonly received_at_ms: number;
    readonly reply: AcceptReply;
  };
  readonly replayed: boolean;
}

async function store(context: AcceptContext, work: Work): Promise<Result<Accepted, Problem>> {
  const { remembered, replayed } = work;
  const tenantId = work.request.principal.tenantId;
  const head: WalHead = {
    version: 1,
    tenant_id: tenantId,
    wal_id: remembered.wal_id,
    batch_tag: remembered.reply.batch_tag,
    received_at_ms: remembered.received_at_ms,
    request_id: remembered.request_id,
    gate_version: GATE_VERSION,
  };
  const documents = replayed
    ? work.inputs.map((input, index) => asReplied(input.document, remembered.reply, index))
    : work.inputs.map((input) => input.document);
  const ranges = splitRanges(
    work.inputs.map((input) => input.textBytes),
    { textBytesMax: LIMITS.rangeTextBytesMax, documentsMax: LIMITS.rangeDocumentsMax },
  );
  const stored = await storeWal(context.bucket, { head, documents, ranges, replayed });
  if (!stored.ok) return stored;
  // The marker follows the WAL object, so that a batch never waits for inputs that are not there.
  const [marked, queued] = await Promise.all([
    storeMarker(context.bucket, head, documents.length),
    send(context, embedMessages(head, ranges, context.clock())),
  ]);
  if (!marked.ok) return marked;
  // A replay may complete a request so old that the sweeper has passed it: its client has to come again.
  if (replayed && !queued) return err(storageUnavailable());
  return ok({ reply: remembered.reply, replayed, queued, documents });
}

/** The document with the verdict that was replied the first time, should the gate have changed since. */
function asReplied(document: WalDocument, reply: AcceptReply, index: number): WalDocument {
  const receipt = reply.receipts[index];
  if (receipt === undefined || receipt.status === document.verdict) return document;
  if (receipt.status === "rejected")
    return { ...document, verdict: "rejected", reasons: receipt.reasons, text: null, title: "", metadata: {} };
  return document.text === null ? document : { ...document, verdict: receipt.status, reasons: receipt.reasons };
}

interface Storing {
  readonly head: WalHead;
  readonly documents: readonly WalDocument[];
  readonly ranges: readonly DocumentRange[];
  readonly replayed: boolean;
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
    metadata: { batch_tag: head.batch_tag, documents: String(documents.length), ranges: String(ranges.length) },
    mediaType: "application/octet-stream",
  };
  const created = await createObject(bucket, wal, CREATE_OPTIONS);
  // A replay after a change of the gate or the codec makes other bytes of the same request: the ones that lie there are as good.
  if (created.ok || (replayed && created.error.code === "object_differs")) return ok(undefined);
  return err(storeProblem(created.error));
}

/** The marker of a batch that its client named; see docs/decisions/0001-batch-markers.md. */
async function storeMarker(bucket: R2Bucket, head: WalHead, documentCount: number): Promise<Result<void, Problem>> {
  if (head.batch_tag === head.wal_id) return ok(undefined);
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

async function send(context: AcceptContext, messages: readonly EmbedMessage[]): Promise<boolean> {
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

async function sendAll(context: AcceptContext, messages: readonly EmbedMessage[]): Promise<true> {
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
