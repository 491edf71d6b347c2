import { joinBytes } from "../../base/bytes.ts";

/**
 * The end of a block: bytes that zstd would only be disturbed by, as they are. Random bytes among texts spoil the statistics that texts are coded with.
 * Columns put theirs there in the order in which they are written, and take them in the same order.
 */
export class TailWriter {
  readonly #parts: Uint8Array[] = [];

  put(bytes: Uint8Array): void {
    this.#parts.push(bytes);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return joinBytes(this.#parts);
  }
}

export class TailReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next `length` bytes, or undefined where there are not as many. */
  take(length: number): Uint8Array | undefined {
    if (length > this.#bytes.length - this.#at) return undefined;
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** Whether every byte was taken. */
  get isUsedUp(): boolean {
    return this.#at === this.#bytes.length;
  }
}
