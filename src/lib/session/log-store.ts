/** The log of one session in SQLite: its statements. Every method is synchronous, so that what one event of the object does is one commit. */
import type { SqlStorage } from "@cloudflare/workers-types";
import {
  batchOf,
  type BatchRow,
  eventOf,
  SESSION_COLUMNS,
  type SessionChange,
  sessionOf,
  type SessionRow,
  sqlValue,
} from "./log-rows.ts";
import { LOG_SCHEMA } from "./log-schema.ts";
import type { OpenInput } from "./session-log-api.ts";
import { numberOf, type SqlRow } from "./sql-row.ts";
import type { StoredEvent } from "./stored-event.ts";

export class LogStore {
  readonly #sql: SqlStorage;
  #hasTables: boolean;

  /** Tables are made by the first opening: whoever asks for a session that is none leaves nothing behind. */
  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#hasTables = sql.exec("select 1 from sqlite_master where name = 'session'").toArray().length > 0;
    if (this.#hasTables) this.#addColumns();
  }

  /** Logs that were opened before a column was added have it from their next start on. */
  #addColumns(): void {
    const columns = this.#sql.exec<SqlRow>("select name from pragma_table_info('batches')").toArray();
    if (!columns.some((column) => column["name"] === "trace_id"))
      this.#sql.exec("alter table batches add column trace_id text");
  }

  session(): SessionRow | undefined {
    if (!this.#hasTables) return undefined;
    const [row] = this.#sql.exec<SqlRow>("select * from session").toArray();
    return row === undefined ? undefined : sessionOf(row);
  }

  insertSession(input: OpenInput, salt: string): void {
    for (const statement of LOG_SCHEMA) this.#sql.exec(statement);
    this.#hasTables = true;
    this.#sql.exec(
      `insert into session values (1, ?, ?, ?, ?, ?, 0, ?, ?, null, ?, 0, 0, 0, 0, 0, 0, '[]', 0, 0, null, 'null')`,
      input.tenantId,
      input.userId,
      input.sessionId,
      input.source,
      salt,
      input.nowMs,
      input.nowMs,
      input.leaseExpiresAtMs,
    );
  }

  /** Changes what is named and leaves the rest. */
  updateSession(change: SessionChange): void {
    const entries = Object.entries(change);
    if (entries.length === 0) return;
    const columns: Readonly<Record<string, string>> = SESSION_COLUMNS;
    this.#sql.exec(
      `update session set ${entries.map(([name]) => `${columns[name]} = ?`).join(", ")}`,
      ...entries.map(([, value]) => sqlValue(value)),
    );
  }

  hashOf(seq: number): string | undefined {
    const [row] = this.#sql.exec<{ hash: string }>("select hash from events where seq = ?", seq).toArray();
    return row?.hash;
  }

  insertEvent(event: StoredEvent, row: { readonly hash: string; readonly sizeBytes: number; readonly nowMs: number }) {
    this.#sql.exec(
      "insert into events values (?, ?, ?, ?, ?, ?, ?, ?)",
      event.seq,
      row.hash,
      event.frame,
      event.atMs,
      JSON.stringify(event.judgement),
      event.textBytes,
      row.sizeBytes,
      row.nowMs,
    );
  }

  /** Events of a run, in order. Read as they are asked for: a run may be larger than memory likes. */
  *events(firstSeq: number, lastSeq: number): Generator<StoredEvent> {
    const rows = this.#sql.exec<SqlRow>(
      "select seq, frame, occurred_at_ms, judgement, text_bytes from events where seq between ? and ? order by seq",
      firstSeq,
      lastSeq,
    );
    for (const row of rows) yield eventOf(row);
  }

  event(seq: number): StoredEvent | undefined {
    const [found] = this.events(seq, seq);
    return found;
  }

  /** Whether the log holds the event with its text, or no longer holds the event at all: its segment does then. */
  hasFrame(seq: number): boolean {
    const [row] = this.#sql
      .exec<{ missing: number }>("select frame is null as missing from events where seq = ?", seq)
      .toArray();
    return row?.missing !== 1;
  }

  /** Takes the text of an event away, and its judgement with it where one is given. */
  dropFrame(seq: number, judgement?: StoredEvent["judgement"]): void {
    this.#sql.exec("update events set frame = null, text_bytes = 0 where seq = ?", seq);
    if (judgement !== undefined)
      this.#sql.exec("update events set judgement = ? where seq = ?", JSON.stringify(judgement), seq);
  }

  /** Lets the events of a segment go, and counts anew what is left. */
  deleteEventsUpTo(seq: number): void {
    this.#sql.exec("delete from events where seq <= ?", seq);
    this.#sql.exec(
      `update session set log_bytes = (select coalesce(sum(size_bytes), 0) from events),
              log_first_at_ms = (select received_at_ms from events order by seq limit 1)`,
    );
  }

  /** Bytes of the events that are in no WAL object yet. */
  unsentBytes(): number {
    const row = this.#sql
      .exec<SqlRow>("select coalesce(sum(size_bytes), 0) as size from batches where state <> 'sent'")
      .one();
    return numberOf(row, "size");
  }

  openBatch(): BatchRow | undefined {
    const [row] = this.#sql.exec<SqlRow>("select * from batches where state = 'open'").toArray();
    return row === undefined ? undefined : batchOf(row);
  }

  /** The oldest batch that is not sent. */
  nextBatch(): BatchRow | undefined {
    const [row] = this.#sql
      .exec<SqlRow>("select * from batches where state <> 'sent' order by first_seq limit 1")
      .toArray();
    return row === undefined ? undefined : batchOf(row);
  }

  batchOfSeq(seq: number): BatchRow | undefined {
    const [row] = this.#sql
      .exec<SqlRow>("select * from batches where first_seq <= ? order by first_seq desc limit 1", seq)
      .toArray();
    const batch = row === undefined ? undefined : batchOf(row);
    return batch !== undefined && batch.lastSeq >= seq ? batch : undefined;
  }

  insertBatch(batch: Omit<BatchRow, "state" | "lastSeq" | "sizeBytes">): void {
    this.#sql.exec(
      "insert into batches values (?, ?, ?, 'open', 0, ?, ?, ?, ?)",
      batch.firstSeq,
      batch.firstSeq - 1,
      batch.walId,
      batch.openedAtMs,
      batch.requestId,
      JSON.stringify(batch.judgedBy),
      batch.traceId,
    );
  }

  growBatch(walId: string, lastSeq: number, addedBytes: number): void {
    this.#sql.exec(
      "update batches set last_seq = ?, size_bytes = size_bytes + ? where wal_id = ?",
      lastSeq,
      addedBytes,
      walId,
    );
  }

  closeBatch(walId: string): void {
    this.#sql.exec("update batches set state = 'closed' where wal_id = ? and state = 'open'", walId);
  }

  markBatchSent(walId: string): void {
    this.#sql.exec("update batches set state = 'sent' where wal_id = ?", walId);
  }

  /** Sent batches that are not known to be applied, oldest first. */
  pendingBatches(limit: number): readonly BatchRow[] {
    return this.#sql
      .exec<SqlRow>("select * from batches where state = 'sent' order by first_seq limit ?", limit)
      .toArray()
      .map(batchOf);
  }

  /** Forgets everything. */
  clear(): void {
    if (!this.#hasTables) return;
    for (const table of ["session", "events", "batches", "segments", "orphans"]) this.#sql.exec(`delete from ${table}`);
  }

  pendingBatchCount(): number {
    return numberOf(this.#sql.exec<SqlRow>("select count(*) as n from batches where state = 'sent'").one(), "n");
  }

  deleteBatchesUpTo(seq: number): void {
    this.#sql.exec("delete from batches where state = 'sent' and last_seq <= ?", seq);
  }
}
