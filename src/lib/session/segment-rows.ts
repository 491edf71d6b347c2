/** Segments of one session as its log knows them. Synchronous, like the log. */
import type { SqlStorage } from "@cloudflare/workers-types";
import { segmentArtifactId } from "./segment-artifact.ts";
import type { JudgedBy, SegmentDescription } from "./session-log-api.ts";
import { numberOf, numberOrNull, textOf, type SqlRow } from "./sql-row.ts";

/** A run of events that is to become a segment. */
export interface SegmentPlan {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly createdAtMs: number;
  readonly judgedBy: JudgedBy;
}

/** What writing it found. */
export interface WrittenSegment {
  readonly objectKey: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly eventCount: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
}

export interface StoredSegment extends SegmentPlan, WrittenSegment {}

export class SegmentRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  planned(): SegmentPlan | undefined {
    const [row] = this.#sql.exec<SqlRow>("select * from segments where state = 'planned'").toArray();
    return row === undefined ? undefined : planOf(row);
  }

  plan(plan: SegmentPlan): void {
    this.#sql.exec(
      "insert into segments values (?, ?, 'planned', ?, ?, 0, null, null, null, null, 0, 0, 0)",
      plan.firstSeq,
      plan.lastSeq,
      plan.createdAtMs,
      JSON.stringify(plan.judgedBy),
    );
  }

  /** Says where the planned segment is going to lie, before it is written. */
  setObjectKey(firstSeq: number, objectKey: string): void {
    this.#sql.exec("update segments set object_key = ? where first_seq = ? and state = 'planned'", objectKey, firstSeq);
  }

  /** Gives a plan up: its events changed, or there is no text among them. What it may have left in R2 is an orphan then. */
  dropPlan(): void {
    this.#sql.exec(
      `insert or ignore into orphans select object_key from segments where state = 'planned' and object_key is not null`,
    );
    this.#sql.exec("delete from segments where state = 'planned'");
  }

  orphans(limit: number): readonly string[] {
    return this.#sql
      .exec<{ object_key: string }>("select object_key from orphans limit ?", limit)
      .toArray()
      .map((row) => row.object_key);
  }

  forgetOrphans(objectKeys: readonly string[]): void {
    for (const objectKey of objectKeys) this.#sql.exec("delete from orphans where object_key = ?", objectKey);
  }

  markStored(firstSeq: number, written: WrittenSegment): void {
    this.#sql.exec(
      `update segments set state = 'stored', object_key = ?, sha256 = ?, size_bytes = ?, event_count = ?, first_at_ms = ?, last_at_ms = ?
        where first_seq = ?`,
      written.objectKey,
      written.sha256,
      written.sizeBytes,
      written.eventCount,
      written.firstAtMs,
      written.lastAtMs,
      firstSeq,
    );
  }

  /** Segments that were not announced since `beforeMs` and are not registered, oldest first. */
  unannounced(beforeMs: number, limit: number): readonly StoredSegment[] {
    return this.#sql
      .exec<SqlRow>(
        "select * from segments where state = 'stored' and registered = 0 and announced_at_ms <= ? order by first_seq limit ?",
        beforeMs,
        limit,
      )
      .toArray()
      .map(storedOf);
  }

  /** When the unregistered segment that waits longest was announced; 0 for never, null where all are registered. */
  oldestAnnouncementMs(): number | null {
    const { at } = this.#sql
      .exec<{ at: number | null }>(
        "select min(announced_at_ms) as at from segments where state = 'stored' and registered = 0",
      )
      .one();
    return at;
  }

  markAnnounced(firstSeq: number, nowMs: number): void {
    this.#sql.exec("update segments set announced_at_ms = ? where first_seq = ?", nowMs, firstSeq);
  }

  markRegistered(firstSeq: number): void {
    this.#sql.exec("update segments set registered = 1 where first_seq = ? and state = 'stored'", firstSeq);
  }

  /** The newest of them, oldest first. */
  descriptions(limit: number): readonly SegmentDescription[] {
    return this.#sql
      .exec<SqlRow>("select * from segments where state = 'stored' order by first_seq desc limit ?", limit)
      .toArray()
      .map((row) => ({ ...describe(storedOf(row)), registered: row["registered"] === 1 }))
      .toReversed();
  }
}

function describe(segment: StoredSegment): Omit<SegmentDescription, "registered"> {
  const { objectKey, firstSeq, lastSeq, eventCount, sizeBytes, createdAtMs } = segment;
  const artifactId = segmentArtifactId(segment.sha256);
  return { artifactId, objectKey, firstSeq, lastSeq, eventCount, sizeBytes, createdAtMs };
}

function planOf(row: SqlRow): SegmentPlan {
  return {
    firstSeq: numberOf(row, "first_seq"),
    lastSeq: numberOf(row, "last_seq"),
    createdAtMs: numberOf(row, "created_at_ms"),
    judgedBy: JSON.parse(textOf(row, "judged_by")),
  };
}

function storedOf(row: SqlRow): StoredSegment {
  return {
    ...planOf(row),
    objectKey: textOf(row, "object_key"),
    sha256: textOf(row, "sha256"),
    sizeBytes: numberOf(row, "size_bytes"),
    eventCount: numberOf(row, "event_count"),
    firstAtMs: numberOrNull(row, "first_at_ms"),
    lastAtMs: numberOrNull(row, "last_at_ms"),
  };
}
