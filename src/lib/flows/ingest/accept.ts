/**
 * The edge path of an ingest: verdicts, then one object in R2, then pointers in the queue, then the reply. Postgres has no part in it.
 * Order is the promise: nothing is said to be accepted before R2 has it, and what R2 has the sweeper finds even if the queue never did.
 */
import { receiptId } from "../../base/document-uid.ts";
import { isUlid, type Ulid } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { BODY_LIMITS } from "../../body/body-limits.ts";
import { decodeBody, type BodyHeaders } from "../../body/decode-body.ts";
import type { AcceptReply } from "../../contract/accept-reply.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import { batchTagSchema, isReservedBatchTag } from "../../contract/scope.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import type { Sql } from "../../db/sql.ts";
import { GATE_VERSION } from "../../gate/profile.ts";
import { PII_RULES_VERSION } from "../../pii/find-pii.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import { isIdempotencyKey, rememberReply, requestHash } from "./idempotency.ts";
import type { JudgedInput } from "../judging/judge-inputs.ts";
import { judgeRequest, type JudgingContext } from "../judging/judge-request.ts";
import { holdBack } from "../quarantine/quarantine-object.ts";
import { storeRequest, type StoreContext } from "./store-request.ts";
import { wasPacked } from "./was-packed.ts";

export interface AcceptContext extends StoreContext, JudgingContext {
  /** Asked only where an old request comes again whose WAL object has gone. */
  readonly sql: Sql;
  readonly newUlid: () => Ulid;
}

export interface AcceptRequest {
  readonly principal: Principal;
  readonly requestId: string;
  readonly traceId?: string;
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
  const { candidates } = decoded.value;
  const judged = await judgeRequest(context, { principal: request.principal, candidates, nowMs });
  if (!judged.ok) return judged;
  const inputs = judged.value;
  const walId = context.newUlid();
  const fresh = {
    version: 1 as const,
    wal_id: walId,
    request_id: request.requestId,
    ...(request.traceId === undefined ? {} : { trace_id: request.traceId }),
    received_at_ms: nowMs,
    reply: replyOf(walId, named.value ?? walId, inputs),
  };
  if (request.idempotencyKey === null) return store(context, { request, inputs, remembered: fresh, replayed: false });
  const use = {
    principal: request.principal,
    key: request.idempotencyKey,
    requestHash: await requestHash(named.value ?? "", request.headers.contentType, request.body),
    userIds: inputs.map(({ document }) => document.user_id),
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
  if (isUlid(tag.data)) return err({ ...wrong, detail: "tags in the form of a ulid are reserved" });
  return isReservedBatchTag(tag.data) ? err({ ...wrong, detail: "tags of this form are reserved" }) : ok(tag.data);
}

function replyOf(walId: Ulid, batchTag: string, inputs: readonly JudgedInput[]): AcceptReply {
  const counts = { accepted: 0, duplicate: 0, quarantined: 0, rejected: 0 };
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
    readonly trace_id?: string | undefined;
    readonly received_at_ms: number;
    readonly reply: AcceptReply;
  };
  readonly replayed: boolean;
}

async function store(context: AcceptContext, work: Work): Promise<Result<Accepted, Problem>> {
  const { remembered, replayed } = work;
  const { principal } = work.request;
  const { policy } = principal;
  const head: WalHead = {
    version: 1,
    tenant_id: principal.tenantId,
    wal_id: remembered.wal_id,
    batch_tag: remembered.reply.batch_tag,
    received_at_ms: remembered.received_at_ms,
    request_id: remembered.request_id,
    ...(remembered.trace_id === undefined ? {} : { trace_id: remembered.trace_id }),
    gate_version: GATE_VERSION,
    pii_version: PII_RULES_VERSION,
    policy_version: principal.policyVersion,
    ...(policy.duplicates.enabled ? { duplicates: policy.duplicates.near ? "near" : "exact" } : {}),
  };
  const judged = work.inputs.map((input) => input.document);
  const replied = replayed ? judged.map((document, index) => asReplied(document, remembered.reply, index)) : judged;
  if (replayed) {
    const packed = await wasPacked(context, { tenantId: head.tenant_id, walId: head.wal_id });
    if (!packed.ok) return packed;
    if (packed.value) return ok({ reply: remembered.reply, replayed, queued: true, documents: replied });
  }
  const held = await holdBack(context.bucket, { head, documents: replied, replayed });
  if (!held.ok) return held;
  const textBytes = held.value.map((document, index) =>
    document.text === null ? 0 : (work.inputs[index]?.textBytes ?? 0),
  );
  const stored = await storeRequest(context, { head, documents: held.value, textBytes, replayed });
  if (!stored.ok) return stored;
  return ok({ reply: remembered.reply, replayed, queued: stored.value.queued, documents: held.value });
}

/** The document with the verdict that was replied the first time, should the gate have changed since. */
function asReplied(document: WalDocument, reply: AcceptReply, index: number): WalDocument {
  const receipt = reply.receipts[index];
  if (receipt === undefined || receipt.status === document.verdict) return document;
  if (receipt.status === "rejected")
    return { ...document, verdict: "rejected", reasons: receipt.reasons, text: null, title: "", metadata: {} };
  if (document.text === null) return document;
  // Of what it was the duplicate is not known any more: the store looks for an original by itself.
  const verdict = receipt.status === "duplicate" ? "accepted" : receipt.status;
  return { ...document, verdict, reasons: receipt.reasons };
}
