/** Rows of COPY … (format binary): PostgreSQL's own field formats, and those of pgvector's halfvec and sparsevec. */
import { halfOf } from "./synthetic-vectors.ts";

const SIGNATURE = Buffer.from("PGCOPY\n\xff\r\n\0", "latin1");
/** Of the signature: no flags, no extension. */
const HEADER = Buffer.concat([SIGNATURE, Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);
/** Microseconds between PostgreSQL's epoch (2000) and that of Unix. */
const EPOCH_MICROSECONDS = 946_684_800_000_000n;

/** Collects rows of one COPY in a buffer that grows with them. */
export class CopyRows {
  #bytes = Buffer.allocUnsafe(1 << 20);
  #end = 0;

  constructor() {
    this.#append(HEADER);
  }

  /** Begins a row; as many fields have to follow. */
  row(fieldCount: number): void {
    this.#int16(fieldCount);
  }

  null(): void {
    this.#int32(-1);
  }

  text(value: string): void {
    this.bytes(Buffer.from(value, "utf8"));
  }

  bytes(value: Uint8Array): void {
    this.#int32(value.byteLength);
    this.#append(value);
  }

  uuid(value: string): void {
    this.bytes(Buffer.from(value.replaceAll("-", ""), "hex"));
  }

  int4(value: number): void {
    this.#int32(4);
    this.#int32(value);
  }

  int8(value: bigint): void {
    this.#int32(8);
    this.#room(8);
    this.#end = this.#bytes.writeBigInt64BE(value, this.#end);
  }

  timestamp(unixMs: number): void {
    this.int8(BigInt(unixMs) * 1000n - EPOCH_MICROSECONDS);
  }

  halfvec(values: Float64Array): void {
    this.#int32(4 + 2 * values.length);
    this.#int16(values.length);
    this.#int16(0);
    this.#room(2 * values.length);
    for (const value of values) this.#end = this.#bytes.writeUInt16BE(halfOf(value), this.#end);
  }

  /** `entries` by rising dimension, from 1. */
  sparsevec(entries: readonly (readonly [dimension: number, value: number])[], dimensions: number): void {
    this.#int32(12 + 8 * entries.length);
    this.#int32(dimensions);
    this.#int32(entries.length);
    this.#int32(0);
    this.#room(8 * entries.length);
    for (const [dimension] of entries) this.#end = this.#bytes.writeInt32BE(dimension - 1, this.#end);
    for (const [, value] of entries) this.#end = this.#bytes.writeFloatBE(value, this.#end);
  }

  /** The whole stream of the COPY. */
  finish(): Buffer {
    this.#append(TRAILER);
    return this.#bytes.subarray(0, this.#end);
  }

  #int16(value: number): void {
    this.#room(2);
    this.#end = this.#bytes.writeInt16BE(value, this.#end);
  }

  #int32(value: number): void {
    this.#room(4);
    this.#end = this.#bytes.writeInt32BE(value, this.#end);
  }

  #append(value: Uint8Array): void {
    this.#room(value.byteLength);
    this.#bytes.set(value, this.#end);
    this.#end += value.byteLength;
  }

  #room(sizeBytes: number): void {
    if (this.#end + sizeBytes <= this.#bytes.byteLength) return;
    const larger = Buffer.allocUnsafe(2 * this.#bytes.byteLength + sizeBytes);
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}
