/** Rows of a session's log, as SQLite holds them and as the rest of the room reads them. */
import { assert } from "../base/assert.ts";
import type { JudgedBy } from "./session-log-api.ts";
import { numberOf, numberOrNull, textOf, textOrNull, type SqlRow } from "./sql-row.ts";
import type { StoredEvent } from "./stored-event.ts";
import type { Turn } from "./turn-context.ts";

/** What is known of the session as a whole. */
export interface SessionRow {
  readonly tenantId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly source: string;
  readonly salt: string;
  readonly isClosed: boolean;
  readonly openedAtMs: number;
  /** When it was opened, renewed by its client or given an event. */
  readonly activeAtMs: number;
  readonly lastEventAtMs: number | null;
  readonly leaseExpiresAtMs: number;
  readonly receivedSeq: number;
  readonly durableSeq: number;
  readonly queuedSeq: number;
  readonly embeddedSeq: number;
  readonly sealedSeq: number;
  readonly refusedCount: number;
  readonly turns: readonly Turn[];
  /** Events up to here were asked to be sealed; 0 for none. */
  readonly sealAskedSeq: number;
  /** Bytes of the events that are in no segment, and when the first of them came. */
  readonly logBytes: number;
  readonly logFirstAtMs: number | null;
  /** Of the newest events; null before the first. */
  readonly judgedBy: JudgedBy | null;
}

export interface BatchRow {
  readonly walId: string;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly state: "open" | "closed" | "sent";
  readonly sizeBytes: number;
  readonly openedAtMs: number;
  /** Of the request that opened it. */
  readonly requestId: string;
  readonly traceId: string | null;
  readonly judgedBy: JudgedBy;
}

/** Columns of what changes. */
export const SESSION_COLUMNS = {
  isClosed: "is_closed",
  activeAtMs: "active_at_ms",
  lastEventAtMs: "last_event_at_ms",
  leaseExpiresAtMs: "lease_expires_at_ms",
  receivedSeq: "received_seq",
  durableSeq: "durable_seq",
  queuedSeq: "queued_seq",
  embeddedSeq: "embedded_seq",
  sealedSeq: "sealed_seq",
  refusedCount: "refused_count",
  turns: "turns",
  sealAskedSeq: "seal_asked_seq",
  logBytes: "log_bytes",
  logFirstAtMs: "log_first_at_ms",
  judgedBy: "judged_by",
} as const;

export type SessionChange = Partial<Pick<SessionRow, keyof typeof SESSION_COLUMNS>>;

export function sqlValue(value: unknown): string | number | null {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number" || value === null) return value;
  return JSON.stringify(value);
}

export function sessionOf(row: SqlRow): SessionRow {
  const turns: readonly Turn[] = JSON.parse(textOf(row, "turns"));
  return {
    tenantId: textOf(row, "tenant_id"),
    userId: textOf(row, "user_id"),
    sessionId: textOf(row, "session_id"),
    source: textOf(row, "source"),
    salt: textOf(row, "salt"),
    isClosed: row["is_closed"] === 1,
    openedAtMs: numberOf(row, "opened_at_ms"),
    activeAtMs: numberOf(row, "active_at_ms"),
    lastEventAtMs: numberOrNull(row, "last_event_at_ms"),
    leaseExpiresAtMs: numberOf(row, "lease_expires_at_ms"),
    receivedSeq: numberOf(row, "received_seq"),
    durableSeq: numberOf(row, "durable_seq"),
    queuedSeq: numberOf(row, "queued_seq"),
    embeddedSeq: numberOf(row, "embedded_seq"),
    sealedSeq: numberOf(row, "sealed_seq"),
    refusedCount: numberOf(row, "refused_count"),
    turns,
    sealAskedSeq: numberOf(row, "seal_asked_seq"),
    logBytes: numberOf(row, "log_bytes"),
    logFirstAtMs: numberOrNull(row, "log_first_at_ms"),
    judgedBy: JSON.parse(textOf(row, "judged_by")),
  };
}

export function eventOf(row: SqlRow): StoredEvent {
  const { frame } = row;
  assert(frame === null || frame instanceof ArrayBuffer, "a frame is a blob");
  return {
    seq: numberOf(row, "seq"),
    frame: frame === null ? null : new Uint8Array(frame),
    atMs: numberOrNull(row, "occurred_at_ms"),
    judgement: JSON.parse(textOf(row, "judgement")),
    textBytes: numberOf(row, "text_bytes"),
  };
}

export function batchOf(row: SqlRow): BatchRow {
  const state = textOf(row, "state");
  return {
    walId: textOf(row, "wal_id"),
    firstSeq: numberOf(row, "first_seq"),
    lastSeq: numberOf(row, "last_seq"),
    state: state === "open" || state === "closed" ? state : "sent",
    sizeBytes: numberOf(row, "size_bytes"),
    openedAtMs: numberOf(row, "opened_at_ms"),
    requestId: textOf(row, "request_id"),
    traceId: textOrNull(row, "trace_id"),
    judgedBy: JSON.parse(textOf(row, "judged_by")),
  };
}
