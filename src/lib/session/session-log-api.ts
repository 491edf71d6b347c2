/** What the log of one session offers to the rest of the system. Replies are values: nothing is thrown across the call. Times are milliseconds since the Unix epoch. */
import type { WalDocument } from "../contract/wal-record.ts";

/** Whose session it is. Together the name of its log. `userId` '' is a session shared by the tenant. */
export interface SessionIdentity {
  readonly tenantId: string;
  readonly userId: string;
  readonly sessionId: string;
}

/** Name of the log's Durable Object, and key of the session's lease. Injective: the parts cannot run into each other. */
export function sessionKey({ tenantId, userId, sessionId }: SessionIdentity): string {
  return JSON.stringify([tenantId, userId, sessionId]);
}

export interface OpenInput extends SessionIdentity {
  readonly source: string;
  readonly leaseExpiresAtMs: number;
  readonly nowMs: number;
}

/** Rules by which events were judged; they go into the head of their WAL object. */
export interface JudgedBy {
  readonly gateVersion: string;
  readonly piiVersion: string;
  readonly policyVersion: number;
  readonly duplicates: "exact" | "near" | null;
}

/** One frame that was decoded. */
export interface AppendEvent {
  readonly seq: number;
  /** SHA-256, hexadecimal, of the frame's canonical payload. */
  readonly payloadHash: string;
  /** What judging made of it; null where the same request held its seq before, so that it can be a repeat or a conflict only. */
  readonly judged: { readonly document: WalDocument; readonly textBytes: number } | null;
}

export interface AppendInput {
  readonly nowMs: number;
  readonly requestId: string;
  readonly traceId: string | null;
  /** In the order of the frames. */
  readonly events: readonly AppendEvent[];
  readonly judgedBy: JudgedBy;
  /** Frames of the request that were refused before they came here, and the highest seq that any frame carried, 0 for none. */
  readonly refusedCount: number;
  readonly receivedSeq: number;
}

/** What became of one event. `verdict` and `reasons` are those of the stored event, also for a repeat of one that the log still holds. */
export type EventOutcome =
  | {
      readonly seq: number;
      readonly status: "appended" | "repeated";
      readonly verdict: WalDocument["verdict"] | null;
      readonly reasons: WalDocument["reasons"];
    }
  | {
      readonly seq: number;
      readonly status: "refused";
      readonly code: "seq_gap" | "seq_conflict" | "frame_too_large";
      readonly expectedSeq: number;
    };

export type AppendFailure = "session_unknown" | "session_closed" | "session_backlogged";

export type AppendOutcome =
  | {
      readonly ok: true;
      /** Highest seq up to which every event is durable. */
      readonly ack: number;
      /** WAL id that the newest of these events will have or has; null where there is none. */
      readonly token: string | null;
      readonly events: readonly EventOutcome[];
    }
  | { readonly ok: false; readonly code: AppendFailure };

/** `open` takes events; `sealing` writes its last segment; `closed` has given its lease back and continues when it is opened again. */
export type SessionState = "open" | "sealing" | "closed";

export interface SegmentDescription {
  /** `segment-` and the first 24 hexadecimal digits of its SHA-256. */
  readonly artifactId: string;
  readonly objectKey: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly eventCount: number;
  readonly sizeBytes: number;
  readonly createdAtMs: number;
  readonly registered: boolean;
}

/** A WAL object of the session whose events are not known to be applied. */
export interface PendingBatch {
  readonly walId: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface SessionDescription extends SessionIdentity {
  readonly source: string;
  readonly state: SessionState;
  readonly openedAtMs: number;
  readonly lastEventAtMs: number | null;
  readonly leaseExpiresAtMs: number;
  readonly seqs: {
    /** Highest seq that a frame carried, even a refused one. */
    readonly received: number;
    readonly durable: number;
    /** In a WAL object and sent. */
    readonly queued: number;
    /** Known to be in the ledger; `pending` tells what may have come since. */
    readonly embedded: number;
    readonly sealed: number;
  };
  readonly refusedCount: number;
  /** Newest last, at most 1,000. */
  readonly segments: readonly SegmentDescription[];
  /** Oldest first, at most 1,000. */
  readonly pending: readonly PendingBatch[];
}

export interface SessionLogApi {
  /** Called after admission. Opens the session or renews it; a closed one goes on behind its last event. */
  open(input: OpenInput): Promise<{ readonly ok: true; readonly nextSeq: number; readonly openedAtMs: number }>;
  append(input: AppendInput): Promise<AppendOutcome>;
  /** Null where the session was never opened or was erased. */
  describe(): Promise<SessionDescription | null>;
  /** Asks for a segment of what is there; it is written by the object's alarm. */
  seal(): Promise<{ readonly ok: true } | { readonly ok: false; readonly code: "session_unknown" }>;
  /** The segment that begins with `firstSeq` is an artifact: it needs no more announcing. */
  noteRegistered(input: { readonly firstSeq: number }): Promise<void>;
  /** Every event up to `seq` is in the ledger. */
  noteEmbedded(input: { readonly seq: number }): Promise<void>;
  /**
   * Drops everything and closes the sockets; frames get `session_unknown` until the session is opened again. Returns after a WAL object or segment
   * that was being written is there or given up, with the last seq that there was.
   */
  erase(): Promise<{ readonly lastSeq: number }>;
  /** Takes the text of one event out of what is not yet in a segment. */
  eraseEvent(input: { readonly seq: number }): Promise<{ readonly erased: boolean }>;
}
