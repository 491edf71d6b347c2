import { err, type Result } from "../base/result.ts";
import { DICTIONARY_BYTES_MAX, zstdDictionary, type ZstdDictionary } from "./zstd-dictionary.ts";
import { FAILED, instantiateZstd } from "./zstd-exports.ts";

export type TrainingError =
  | { readonly code: "samples_too_large"; readonly bytes: number; readonly bytesMax: number }
  /** Too few samples, or too little in common. */
  | { readonly code: "training_failed" };

/** Bytes of all samples at most: the trainer holds them and about as much again for its tables. A hundred times the dictionary is what zstd advises. */
export const SAMPLE_BYTES_MAX = 32 * 1024 * 1024;

/** Bytes of one entry in the list of sample sizes. */
const SIZE_BYTES = 4;

/**
 * A dictionary by zstd's own trainer (fast cover, its parameters chosen by trial on a quarter of the samples), in an instance whose memory goes with
 * it. Takes seconds for megabytes: work for the CPU lane. The same samples give the same dictionary.
 */
export function trainDictionary(
  module: WebAssembly.Module,
  samples: readonly Uint8Array[],
  options: { readonly bytesMax?: number; readonly level: number },
): Result<ZstdDictionary, TrainingError> {
  const bytes = samples.reduce((sum, sample) => sum + sample.length, 0);
  if (bytes > SAMPLE_BYTES_MAX) return err({ code: "samples_too_large", bytes, bytesMax: SAMPLE_BYTES_MAX });
  const exports = instantiateZstd(module);
  const capacity = options.bytesMax ?? DICTIONARY_BYTES_MAX;
  const content = exports.allocate(bytes);
  const sizes = exports.allocate(samples.length * SIZE_BYTES);
  const target = exports.allocate(capacity);
  if (content === 0 || sizes === 0 || target === 0) return err({ code: "training_failed" });
  const memory = new Uint8Array(exports.memory.buffer);
  const view = new DataView(exports.memory.buffer);
  let offset = content;
  for (const [index, sample] of samples.entries()) {
    memory.set(sample, offset);
    view.setUint32(sizes + index * SIZE_BYTES, sample.length, true);
    offset += sample.length;
  }
  const written = exports.train(target, capacity, content, sizes, samples.length, options.level) >>> 0;
  if (written === FAILED) return err({ code: "training_failed" });
  const trained = zstdDictionary(new Uint8Array(exports.memory.buffer.slice(target, target + written)));
  return trained.ok ? trained : err({ code: "training_failed" });
}
