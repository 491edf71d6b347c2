import { assert } from "../base/assert.ts";
import type { Pointer, ZstdExports } from "./zstd-exports.ts";

/** A buffer in the module's memory that is kept from call to call and grows as needed, never shrinks. */
export class Scratch {
  readonly #exports: ZstdExports;
  #pointer: Pointer = 0;
  #capacity = 0;

  constructor(exports: ZstdExports) {
    this.#exports = exports;
  }

  /** A place for `bytes` bytes; what lay there is lost. */
  reserve(bytes: number): Pointer {
    if (bytes > this.#capacity) {
      this.#exports.release(this.#pointer);
      this.#pointer = this.#exports.allocate(bytes);
      assert(this.#pointer !== 0, "the module's memory has room for a block");
      this.#capacity = bytes;
    }
    return this.#pointer;
  }

  /** A place that holds a copy of `content`. */
  hold(content: Uint8Array): Pointer {
    const pointer = this.reserve(Math.max(1, content.length));
    new Uint8Array(this.#exports.memory.buffer, pointer, content.length).set(content);
    return pointer;
  }
}
