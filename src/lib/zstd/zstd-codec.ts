/** Zstandard 1.5.7 with dictionaries, as WebAssembly: node:zlib in workerd ignores the `dictionary` option without a word. */
import { assert } from "../base/assert.ts";
import { err, ok, type Result } from "../base/result.ts";
import { Scratch } from "./scratch.ts";
import type { ZstdDictionary } from "./zstd-dictionary.ts";
import { FAILED, instantiateZstd, type Pointer, type ZstdExports } from "./zstd-exports.ts";

export type ZstdError =
  | { readonly code: "zstd_too_large"; readonly bytes: number; readonly bytesMax: number }
  /** No frame, a damaged one, one that was made with another dictionary, or bytes after its end. */
  | { readonly code: "zstd_invalid" };

/** Tables of one dictionary for one level (to compress) or for any (to decompress). */
interface Prepared {
  readonly pointer: Pointer;
  readonly content: Pointer;
  readonly release: (pointer: Pointer) => void;
}

/** Dictionaries that are kept prepared to compress, up to 5 MB each at level 19, and to decompress, 0.3 MB. The one used longest ago goes first. */
const COMPRESSION_MAX = 2;
const DECOMPRESSION_MAX = 8;

/** What a dictionary's tables are tuned for: a block of 64 records of conversation. */
const SIZE_HINT_BYTES = 16 * 1024;

/**
 * Frames to bytes and back. One instance holds one memory, which grows to the largest block it has seen and stays: a Worker keeps one
 * for its isolate. Output is the same for the same input wherever it runs. Not for use before `provedZstd` has tried it.
 */
export class ZstdCodec {
  readonly #exports: ZstdExports;
  readonly #source: Scratch;
  readonly #target: Scratch;
  readonly #compressor: Pointer;
  readonly #decompressor: Pointer;
  readonly #prepared = new Map<string, Prepared>();

  constructor(module: WebAssembly.Module) {
    this.#exports = instantiateZstd(module);
    this.#source = new Scratch(this.#exports);
    this.#target = new Scratch(this.#exports);
    this.#compressor = this.#exports.new_compressor();
    this.#decompressor = this.#exports.new_decompressor();
    assert(this.#compressor !== 0 && this.#decompressor !== 0, "the module's memory has room for its contexts");
  }

  /** One frame with its content size, without a checksum. Level 1 to 19. */
  compress(
    content: Uint8Array,
    options: { readonly level: number; readonly dictionary?: ZstdDictionary | undefined },
  ): Uint8Array<ArrayBuffer> {
    const { level, dictionary } = options;
    assert(level >= 1 && level <= 19, "a level from 1 to 19");
    const prepared = dictionary === undefined ? 0 : this.#forCompression(dictionary, level);
    const capacity = this.#exports.bound(content.length) >>> 0;
    const from = this.#source.hold(content);
    const to = this.#target.reserve(capacity);
    const written = this.#exports.compress(this.#compressor, to, capacity, from, content.length, prepared, level) >>> 0;
    assert(written !== FAILED, "content is compressed whatever it is");
    return this.#copy(to, written);
  }

  /** Content of exactly one frame that says its size. Nothing is reserved before that size has been held against `bytesMax`. */
  decompress(
    frame: Uint8Array,
    options: { readonly bytesMax: number; readonly dictionary?: ZstdDictionary | undefined },
  ): Result<Uint8Array<ArrayBuffer>, ZstdError> {
    const { bytesMax, dictionary } = options;
    const from = this.#source.hold(frame);
    const bytes = this.#exports.content_size(from, frame.length) >>> 0;
    if (bytes === FAILED) return err({ code: "zstd_invalid" });
    if (bytes > bytesMax) return err({ code: "zstd_too_large", bytes, bytesMax });
    const prepared = dictionary === undefined ? 0 : this.#forDecompression(dictionary);
    const to = this.#target.reserve(Math.max(1, bytes));
    const written = this.#exports.decompress(this.#decompressor, to, bytes, from, frame.length, prepared) >>> 0;
    return written === bytes ? ok(this.#copy(to, written)) : err({ code: "zstd_invalid" });
  }

  /** Bytes of memory that this instance holds. */
  get memoryBytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  #copy(pointer: Pointer, bytes: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#exports.memory.buffer.slice(pointer, pointer + bytes));
  }

  #forCompression(dictionary: ZstdDictionary, level: number): Pointer {
    return this.#prepare(`${dictionary.id}/${level}`, dictionary, {
      make: (content, bytes) => this.#exports.prepare_compression(content, bytes, level, SIZE_HINT_BYTES),
      release: this.#exports.release_compression,
      keptMax: COMPRESSION_MAX,
    });
  }

  #forDecompression(dictionary: ZstdDictionary): Pointer {
    return this.#prepare(dictionary.id, dictionary, {
      make: this.#exports.prepare_decompression,
      release: this.#exports.release_decompression,
      keptMax: DECOMPRESSION_MAX,
    });
  }

  #prepare(
    key: string,
    dictionary: ZstdDictionary,
    by: { make: (content: Pointer, bytes: number) => Pointer; release: Prepared["release"]; keptMax: number },
  ): Pointer {
    const known = this.#prepared.get(key);
    if (known !== undefined) {
      this.#prepared.delete(key);
      this.#prepared.set(key, known);
      return known.pointer;
    }
    this.#makeRoom(by);
    const { bytes } = dictionary;
    const content = this.#exports.allocate(bytes.length);
    assert(content !== 0, "the module's memory has room for a dictionary");
    new Uint8Array(this.#exports.memory.buffer, content, bytes.length).set(bytes);
    const pointer = by.make(content, bytes.length);
    assert(pointer !== 0, "a dictionary has the form that zstd gives it");
    this.#prepared.set(key, { pointer, content, release: by.release });
    return pointer;
  }

  #makeRoom(kind: { readonly release: Prepared["release"]; readonly keptMax: number }): void {
    const alike = [...this.#prepared].filter(([, { release }]) => release === kind.release);
    const [oldest] = alike;
    if (oldest === undefined || alike.length < kind.keptMax) return;
    const [key, { pointer, content, release }] = oldest;
    release(pointer);
    this.#exports.release(content);
    this.#prepared.delete(key);
  }
}
