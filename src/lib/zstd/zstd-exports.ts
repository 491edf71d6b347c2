import { assert } from "../base/assert.ts";

/** A place in the module's memory; 0 is none. */
export type Pointer = number;

/** What `zstd.wasm` exports (ops/zstd-wasm/binding.c). Sizes are bytes, results are unsigned after `>>> 0`. */
export interface ZstdExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly allocate: (bytes: number) => Pointer;
  readonly release: (pointer: Pointer) => void;
  readonly version: () => number;
  readonly bound: (bytes: number) => number;
  readonly new_compressor: () => Pointer;
  readonly new_decompressor: () => Pointer;
  readonly prepare_compression: (dictionary: Pointer, bytes: number, level: number, sizeHint: number) => Pointer;
  readonly release_compression: (prepared: Pointer) => void;
  readonly prepare_decompression: (dictionary: Pointer, bytes: number) => Pointer;
  readonly release_decompression: (prepared: Pointer) => void;
  readonly dictionary_id: (dictionary: Pointer, bytes: number) => number;
  /** (context, target, its capacity, source, its bytes, prepared dictionary or 0, level) */
  readonly compress: (...words: readonly number[]) => number;
  readonly content_size: (frame: Pointer, bytes: number) => number;
  /** (context, target, its capacity, frame, its bytes, prepared dictionary or 0) */
  readonly decompress: (...words: readonly number[]) => number;
  /** (target, its capacity, samples, their sizes, their number, level) */
  readonly train: (...words: readonly number[]) => number;
}

/** Result of a function of the module that failed. */
export const FAILED = 0xffffffff;

const FUNCTIONS = [
  "allocate",
  "release",
  "version",
  "bound",
  "new_compressor",
  "new_decompressor",
  "prepare_compression",
  "release_compression",
  "prepare_decompression",
  "release_decompression",
  "dictionary_id",
  "compress",
  "content_size",
  "decompress",
  "train",
] as const satisfies readonly (keyof ZstdExports)[];

/** Starts an instance with a memory of its own. The module needs no imports. */
export function instantiateZstd(module: WebAssembly.Module): ZstdExports {
  const exports: Readonly<Record<string, unknown>> = new WebAssembly.Instance(module, {}).exports;
  assert(isZstd(exports), "the module is zstd.wasm");
  const initialize = exports["_initialize"];
  if (typeof initialize === "function") initialize();
  return exports;
}

function isZstd(exports: object): exports is ZstdExports {
  const members: Readonly<Record<string, unknown>> = { ...exports };
  return (
    members["memory"] instanceof WebAssembly.Memory && FUNCTIONS.every((name) => typeof members[name] === "function")
  );
}
