/**
 * Planes of vectors, compressed: each is a zstd frame of its own behind its length (u32, big-endian). Only the exponents are worth a code, and among
 * mantissas they would share one with them.
 */
import { joinBytes } from "../base/bytes.ts";
import type { ZstdCodec } from "../zstd/zstd-codec.ts";

const LENGTH_BYTES = 4;
/** Planes have next to nothing to find but frequent bytes: level 1 codes those as well as 19. */
const VECTOR_LEVEL = 1;

/** `planes` in parts of these sizes. */
export function compressPlanes(
  zstd: Pick<ZstdCodec, "compress">,
  planes: Uint8Array,
  sizes: readonly number[],
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const size of sizes) {
    const frame = zstd.compress(planes.subarray(from, from + size), { level: VECTOR_LEVEL });
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setUint32(0, frame.length);
    parts.push(length, frame);
    from += size;
  }
  return joinBytes(parts);
}

/** The planes again; undefined where the bytes are not exactly frames of these sizes. */
export function decompressPlanes(
  zstd: Pick<ZstdCodec, "decompress">,
  stored: Uint8Array,
  sizes: readonly number[],
): Uint8Array | undefined {
  const planes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  let [at, to] = [0, 0];
  for (const size of sizes) {
    if (at + LENGTH_BYTES > stored.length) return undefined;
    const start = at + LENGTH_BYTES;
    at = start + view.getUint32(at);
    if (at > stored.length) return undefined;
    const plane = zstd.decompress(stored.subarray(start, at), { bytesMax: size });
    if (!plane.ok || plane.value.length !== size) return undefined;
    planes.set(plane.value, to);
    to += size;
  }
  return at === stored.length ? planes : undefined;
}
