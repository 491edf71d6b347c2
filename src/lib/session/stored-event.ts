/** An event as its log keeps it: the frame as judged, which goes into the segment byte for byte, and the judgement beside it. */
import { encode } from "@msgpack/msgpack";
import { utf8Bytes } from "../base/bytes.ts";
import { sha256HexSync } from "../base/hash.ts";
import { decodeWalkedMsgpack } from "../body/decode-msgpack-value.ts";
import { identifierSchema } from "../contract/scope.ts";
import type { Metadata } from "../contract/document.ts";
import { frameSchema, ROLES, type Frame } from "../contract/session.ts";
import type { WalDocument } from "../contract/wal-record.ts";
import { encodePayload } from "./frame-codec.ts";
import type { SessionIdentity } from "./session-log-api.ts";

/** Metadata of an event that the system gives it; a client's own values under these names give way. */
const RESERVED_KEYS = ["session_id", "seq", "role", "speaker"] as const;

export interface StoredEvent {
  readonly seq: number;
  /** The frame with the text and metadata that curation left; null where no text may be kept here. */
  readonly frame: Uint8Array | null;
  /** When it happened; null where no text is kept. */
  readonly atMs: number | null;
  readonly judgement: Pick<WalDocument, "verdict" | "reasons" | "curation">;
  /** UTF-8 bytes of the text. */
  readonly textBytes: number;
}

/** Id of the document that an event is. */
export function eventDocumentId(sessionId: string, seq: number): string {
  return `${sessionId}/${seq}`;
}

/** Seq in the id of an event's document; NaN in any other id. */
export function seqOfDocumentId(documentId: string): number {
  const [, seq] = /\/([1-9]\d{0,15})$/.exec(documentId) ?? [];
  return Number(seq);
}

/** SHA-256, hexadecimal, of a frame, whatever the order of its keys: what says that two frames are one. */
export function payloadHash(frame: Frame): string {
  const metadata = Object.entries(frame.metadata ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256HexSync(
    encode([frame.seq, frame.at_ms, frame.role, frame.speaker ?? null, frame.text, metadata], {
      ignoreUndefined: true,
    }),
  );
}

/** Metadata of an event's document. */
export function eventMetadata(sessionId: string, frame: Frame): Metadata {
  const { seq, role, speaker } = frame;
  const own = { session_id: sessionId, seq, role, ...(speaker === undefined ? {} : { speaker }) };
  return { ...frame.metadata, ...own };
}

/** What the log keeps of a judged event. */
export function storedEventOf(seq: number, document: WalDocument, textBytes: number): StoredEvent {
  const { verdict, reasons, curation } = document;
  const judgement = { verdict, reasons, ...(curation === undefined ? {} : { curation }) };
  return { seq, judgement, textBytes, frame: frameOf(seq, document), atMs: document.occurred_at_ms };
}

function frameOf(seq: number, { text, occurred_at_ms: atMs, metadata }: WalDocument): Uint8Array | null {
  if (text === null || atMs === null) return null;
  const speaker = identifierSchema.safeParse(metadata["speaker"]);
  const own = Object.entries(metadata).filter(([key]) => !RESERVED_KEYS.some((reserved) => reserved === key));
  return encodePayload({
    seq,
    at_ms: atMs,
    role: ROLES.find((role) => role === metadata["role"]) ?? "user",
    // Two placeholders can make a name that is none any more.
    ...(speaker.success ? { speaker: speaker.data } : {}),
    text,
    ...(own.length === 0 ? {} : { metadata: Object.fromEntries(own) }),
  });
}

/** The frame inside a stored event. */
export function readStoredFrame(payload: Uint8Array): Frame {
  return frameSchema.parse(decodeWalkedMsgpack(payload));
}

export interface EventPlace extends SessionIdentity {
  readonly source: string;
  readonly documentIndex: number;
  /** What was said before, '' for nothing. */
  readonly context: string;
}

/** The event as an input of its WAL object. */
export function documentOfEvent({ seq, frame: payload, judgement }: StoredEvent, place: EventPlace): WalDocument {
  const frame = payload === null ? undefined : readStoredFrame(payload);
  return {
    document_index: place.documentIndex,
    document_id: eventDocumentId(place.sessionId, seq),
    user_id: place.userId,
    tier: "event",
    source: place.source,
    title: "",
    metadata: frame === undefined ? {} : eventMetadata(place.sessionId, frame),
    occurred_at_ms: frame?.at_ms ?? null,
    text: frame?.text ?? null,
    ...(frame === undefined || place.context === "" ? {} : { context: place.context }),
    ...judgement,
  };
}

/** Bytes that a row of the event takes. */
export function storedEventBytes({ frame, judgement }: StoredEvent): number {
  return (frame?.length ?? 0) + utf8Bytes(JSON.stringify(judgement)).length;
}
