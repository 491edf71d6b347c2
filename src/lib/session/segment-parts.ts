/** The bytes of a segment, part by part, from its log. */
import type { LogStore } from "./log-store.ts";
import type { SegmentHead } from "./segment-layout.ts";
import { segmentFooter, segmentHeader, segmentRecordBytes, writeSegmentRecord } from "./segment-writer.ts";

export interface SegmentRun {
  readonly head: SegmentHead;
  readonly lastSeq: number;
}

/** What the parts held, once all of them were taken. */
export interface SegmentTally {
  readonly eventCount: number;
  readonly sizeBytes: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
}

/** Cuts a segment into parts of one size, the last one shorter. Holds one part and one record; reads the log only inside `next`. */
export class SegmentParts {
  readonly #store: Pick<LogStore, "events">;
  readonly #lastSeq: number;
  readonly #part: Uint8Array<ArrayBuffer>;
  #filledBytes = 0;
  /** What did not fit into the part before. */
  #rest: Uint8Array;
  #nextSeq: number;
  #hasFooter = false;
  #eventCount = 0;
  #sizeBytes = 0;
  #firstAtMs: number | null = null;
  #lastAtMs: number | null = null;

  constructor(store: Pick<LogStore, "events">, { head, lastSeq }: SegmentRun, partBytes: number) {
    this.#store = store;
    this.#lastSeq = lastSeq;
    this.#part = new Uint8Array(partBytes);
    this.#rest = segmentHeader(head);
    this.#nextSeq = head.first_seq;
  }

  /** The next part, or undefined behind the last. It is overwritten by the next call. */
  next(): Uint8Array<ArrayBuffer> | undefined {
    this.#filledBytes = 0;
    this.#put(this.#rest);
    for (const event of this.#store.events(this.#nextSeq, this.#lastSeq)) {
      if (this.#rest.length > 0) break;
      this.#nextSeq = event.seq + 1;
      if (event.frame === null) continue;
      this.#count(event.atMs);
      this.#putRecord(event.frame);
    }
    if (this.#rest.length === 0 && !this.#hasFooter) {
      this.#hasFooter = true;
      this.#put(segmentFooter(this.#eventCount));
    }
    this.#sizeBytes += this.#filledBytes;
    return this.#filledBytes === 0 ? undefined : this.#part.subarray(0, this.#filledBytes);
  }

  tally(): SegmentTally {
    return {
      eventCount: this.#eventCount,
      sizeBytes: this.#sizeBytes,
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
    };
  }

  /** In place where it fits: a copy of each record would be twice the segment in garbage. */
  #putRecord(frame: Uint8Array): void {
    const sizeBytes = segmentRecordBytes(frame.length);
    if (this.#filledBytes + sizeBytes <= this.#part.length) {
      this.#filledBytes = writeSegmentRecord(this.#part, this.#filledBytes, frame);
      return;
    }
    const record = new Uint8Array(sizeBytes);
    writeSegmentRecord(record, 0, frame);
    this.#put(record);
  }

  #put(bytes: Uint8Array): void {
    const taken = bytes.subarray(0, this.#part.length - this.#filledBytes);
    this.#part.set(taken, this.#filledBytes);
    this.#filledBytes += taken.length;
    this.#rest = bytes.subarray(taken.length);
  }

  #count(atMs: number | null): void {
    this.#eventCount += 1;
    if (atMs === null) return;
    this.#firstAtMs = Math.min(this.#firstAtMs ?? atMs, atMs);
    this.#lastAtMs = Math.max(this.#lastAtMs ?? atMs, atMs);
  }
}
