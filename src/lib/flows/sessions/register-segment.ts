/**
 * What happens after a segment lies in R2: it becomes an artifact with its members, its summaries become searchable, and its session's log hears of it.
 * Each step leaves something that the same message, taken again, finds or overwrites with the same; the log hears of it last.
 */
import { documentUid } from "../../base/document-uid.ts";
import { utf8Bytes } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { SealMessage } from "../../contract/queue-message.ts";
import {
  insertMembers,
  lockSession,
  registeredRowSchema,
  registerSegment as registerRow,
  type SegmentRow,
  segmentStateRowSchema,
  selectSegmentState,
} from "../../db/queries/sessions.ts";
import { holdErasures } from "../../db/queries/user-erasures.ts";
import type { SqlError } from "../../db/sql.ts";
import { segmentArtifactId } from "../../session/segment-artifact.ts";
import type { SessionIdentity } from "../../session/session-log-api.ts";
import { summaryKey } from "../../session/session-keys.ts";
import { eventDocumentId } from "../../session/stored-event.ts";
import { storeRequest } from "../ingest/store-request.ts";
import type { SealContext } from "./context.ts";
import { scanSegment, type ScanError } from "./scan-segment.ts";
import { SegmentDigest } from "./segment-digest.ts";
import { type Sidecar, type SidecarError, sidecarBefore, sidecarOf, storeSidecar } from "./sidecar.ts";
import { sealHead, summaryDocuments } from "./summary-documents.ts";
import { summariseSegment, type SummariseError } from "./summarise-segment.ts";

/** Why a segment could not be registered. `segment_before_missing`: the summary of the segment before it is not there yet. */
export type SealError =
  | ScanError
  | SidecarError
  | SummariseError
  | SqlError
  | { readonly code: "segment_mismatch" | "segment_before_missing" | "log_unavailable" };

export interface SealReport {
  /** `erased`: the session was erased after the segment had been made, and nothing is left of it. */
  readonly outcome: "registered" | "repeated" | "erased";
  readonly methods: readonly Sidecar["segment"]["method"][];
}

/** Segments of a session are summarised in their order; past so many attempts a missing one is given up and the roll-up begins anew. */
const ORDER_ATTEMPTS_MAX = 6;
/** Members of one statement: half a megabyte of parameters. */
const MEMBERS_PER_STATEMENT = 5_000;
const SEGMENT_MEDIA_TYPE = "application/vnd.jeeves.segment";

/** Registers the segment of a message. `attempts` counts from 1. */
export async function registerSegment(
  context: SealContext,
  message: SealMessage,
  attempts: number,
): Promise<Result<SealReport, SealError>> {
  const session = sessionOf(message);
  const row = segmentRowOf(message);
  const state = await readState(context, row);
  if (!state.ok) return state;
  const there = await sidecarOf(context.bucket, session, message.first_seq);
  if (!there.ok) return there;
  if (state.value.erased) {
    // Left by a run that died after the erasure had looked; a session that was opened anew has one of another segment.
    if (there.value?.artifact_id === row.artifactId)
      await context.bucket.delete(summaryKey(session, message.first_seq));
    return ok({ outcome: "erased", methods: [] });
  }
  let sidecar = there.value;
  if (!state.value.registered || sidecar === undefined) {
    const digest = await readDigest(context, message);
    if (!digest.ok) return digest;
    if (!state.value.registered) {
      const registered = await register(context, row, digest.value.seqs);
      if (!registered.ok) return registered;
      if (registered.value.erased) return ok({ outcome: "erased", methods: [] });
    }
    if (sidecar === undefined) {
      const made = await makeSidecar(context, { message, digest: digest.value, attempts });
      if (!made.ok) return made;
      sidecar = made.value;
    }
  }
  return publish(context, { message, sidecar, isRepeat: there.value !== undefined && state.value.registered });
}

function sessionOf(message: SealMessage): SessionIdentity {
  return { tenantId: message.tenant_id, userId: message.user_id, sessionId: message.session_id };
}

function segmentRowOf(message: SealMessage): SegmentRow {
  return {
    ...sessionOf(message),
    source: message.source,
    artifactId: segmentArtifactId(message.sha256),
    objectKey: message.object_key,
    mediaType: SEGMENT_MEDIA_TYPE,
    sizeBytes: message.size_bytes,
    sha256Hex: message.sha256,
    lastSeq: message.last_seq,
    eventCount: message.event_count,
    firstAtMs: message.first_at_ms,
    lastAtMs: message.last_at_ms,
    createdAtMs: message.created_at_ms,
  };
}

async function readState(
  context: SealContext,
  row: SegmentRow,
): Promise<Result<{ readonly registered: boolean; readonly erased: boolean }, SqlError>> {
  const rows = await context.sql.transaction(row, [selectSegmentState(row)], { readOnly: true });
  return rows.ok ? ok(segmentStateRowSchema.parse(rows.value[0]?.[0])) : rows;
}

/** Reads the whole segment once, CRCs and hash checked, and holds what the message says of it against it. */
async function readDigest(context: SealContext, message: SealMessage): Promise<Result<SegmentDigest, SealError>> {
  const digest = new SegmentDigest(message.event_count);
  const scanned = await scanSegment(context.bucket, message.object_key, (frame) => digest.add(frame));
  if (!scanned.ok) return scanned;
  const { head, sha256Hex } = scanned.value;
  const isSame =
    head.tenant_id === message.tenant_id &&
    head.user_id === message.user_id &&
    head.session_id === message.session_id &&
    head.first_seq === message.first_seq &&
    digest.seqs.length === message.event_count &&
    sha256Hex === message.sha256;
  return isSame ? ok(digest) : err({ code: "segment_mismatch" });
}

/**
 * Members, then artifact and session. A segment of many events has its members written in several transactions before the one that makes it an artifact: a
 * crash between them leaves members of an artifact that is not there, which no query reads and the repeat completes.
 */
async function register(
  context: SealContext,
  row: SegmentRow,
  seqs: readonly number[],
): Promise<Result<{ readonly erased: boolean }, SqlError>> {
  const { tenantId, userId, sessionId } = row;
  const uidOf = (seq: number): string =>
    documentUid({ tenantId, userId, tier: "event", documentId: eventDocumentId(sessionId, seq) });
  let start = 0;
  for (; seqs.length - start > MEMBERS_PER_STATEMENT; start += MEMBERS_PER_STATEMENT) {
    const members = seqs.slice(start, start + MEMBERS_PER_STATEMENT);
    const written = await context.sql.transaction(row, [
      holdErasures(tenantId, [userId]),
      insertMembers(
        row,
        members.map((position) => ({ position, documentUid: uidOf(position) })),
      ),
    ]);
    if (!written.ok) return written;
  }
  const last = seqs.slice(start).map((position) => ({ position, documentUid: uidOf(position) }));
  const rows = await context.sql.transaction(row, [
    holdErasures(tenantId, [userId]),
    lockSession(row),
    insertMembers(row, last),
    registerRow(row),
  ]);
  return rows.ok ? ok(registeredRowSchema.parse(rows.value[3]?.[0])) : rows;
}

async function makeSidecar(
  context: SealContext,
  work: { readonly message: SealMessage; readonly digest: SegmentDigest; readonly attempts: number },
): Promise<Result<Sidecar, SealError>> {
  const { message, digest, attempts } = work;
  const session = sessionOf(message);
  const found = await sidecarBefore(context.bucket, session, message.first_seq);
  if (!found.ok) return found;
  const isNext = (found.value?.last_seq ?? 0) + 1 === message.first_seq;
  if (!isNext && attempts < ORDER_ATTEMPTS_MAX) return err({ code: "segment_before_missing" });
  const sidecar = await summariseSegment(context, { message, digest, before: isNext ? found.value : undefined });
  return sidecar.ok ? storeSidecar(context.bucket, session, sidecar.value) : sidecar;
}

interface Publication {
  readonly message: SealMessage;
  readonly sidecar: Sidecar;
  readonly isRepeat: boolean;
}

/** The documents, from the sidecar alone, so that every run makes the same bytes; then the log hears of the segment. */
async function publish(
  context: SealContext,
  { message, sidecar, isRepeat }: Publication,
): Promise<Result<SealReport, SealError>> {
  const session = sessionOf(message);
  // An erasure that began while the sidecar was on its way has listed the objects of the session before it came.
  const state = await readState(context, segmentRowOf(message));
  if (!state.ok) return state;
  if (state.value.erased) {
    await context.bucket.delete(summaryKey(session, message.first_seq));
    return ok({ outcome: "erased", methods: [] });
  }
  const documents = summaryDocuments(message, sidecar);
  if (documents.length > 0) {
    const textBytes = documents.map(({ text }) => utf8Bytes(text ?? "").length);
    const stored = await storeRequest(context, { head: sealHead(message), documents, textBytes, replayed: true });
    if (!stored.ok) return err({ code: "storage_unavailable" });
  }
  try {
    await context.noteRegistered(session, message.first_seq);
  } catch {
    return err({ code: "log_unavailable" });
  }
  const methods = [sidecar.segment, sidecar.session.summary].map(({ method }) => method);
  return ok({
    outcome: isRepeat ? "repeated" : "registered",
    methods: isRepeat || documents.length === 0 ? [] : methods,
  });
}
