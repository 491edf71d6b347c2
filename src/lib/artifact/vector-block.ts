/** Vectors of one block as bytes: all first bytes of their numbers, then all second ones, so that exponents stand together. */
import { assert } from "../base/assert.ts";
import { fromPlanes, toPlanes } from "./columns/byte-planes.ts";
import { halfBitsOf, numberOfHalf } from "./half-precision.ts";

export const VECTOR_KINDS = ["f32", "f16", "int8"] as const;
/** f16 is what `halfvec` holds, so it loses nothing; int8 has one scale a vector: the largest component is ±127. */
export type VectorKind = (typeof VECTOR_KINDS)[number];

const ELEMENT_BYTES: Readonly<Record<VectorKind, number>> = { f32: 4, f16: 2, int8: 1 };
const SCALE_BYTES = 4;
const INT8_MAX = 127;

/** Bytes of `count` vectors before compression. */
export function vectorBytes(kind: VectorKind, dimensions: number, count: number): number {
  return count * (dimensions * ELEMENT_BYTES[kind] + (kind === "int8" ? SCALE_BYTES : 0));
}

/** Bytes of each part of them: a plane, or the scales of int8. */
export function vectorPartBytes(kind: VectorKind, dimensions: number, count: number): readonly number[] {
  const planes = Array.from({ length: ELEMENT_BYTES[kind] }, () => count * dimensions);
  return kind === "int8" ? [count * SCALE_BYTES, ...planes] : planes;
}

/** Vectors of equal length as bytes. int8: the scales (f32, in planes) stand before. */
export function encodeVectors(kind: VectorKind, dimensions: number, vectors: readonly Float32Array[]): Uint8Array {
  assert(
    vectors.every(({ length }) => length === dimensions),
    "vectors have the pack's dimensions",
  );
  const elements = new Uint8Array(vectors.length * dimensions * ELEMENT_BYTES[kind]);
  const scales = new Uint8Array(kind === "int8" ? vectors.length * SCALE_BYTES : 0);
  const view = new DataView(elements.buffer);
  const scaleView = new DataView(scales.buffer);
  for (const [row, vector] of vectors.entries()) {
    const scale =
      kind === "int8" ? Math.fround(vector.reduce((top, value) => Math.max(top, Math.abs(value)), 0) / INT8_MAX) : 1;
    if (kind === "int8") scaleView.setFloat32(row * SCALE_BYTES, scale, true);
    for (const [column, value] of vector.entries()) {
      const at = (row * dimensions + column) * ELEMENT_BYTES[kind];
      if (kind === "f32") view.setFloat32(at, value, true);
      else if (kind === "f16") view.setUint16(at, halfBitsOf(value), true);
      else view.setInt8(at, scale === 0 ? 0 : Math.max(-INT8_MAX, Math.min(INT8_MAX, Math.round(value / scale))));
    }
  }
  const bytes = new Uint8Array(scales.length + elements.length);
  bytes.set(toPlanes(scales, SCALE_BYTES));
  bytes.set(toPlanes(elements, ELEMENT_BYTES[kind]), scales.length);
  return bytes;
}

/** Exactly `count` vectors, or undefined where the bytes are not as many, or a number is not finite. */
export function decodeVectors(
  kind: VectorKind,
  dimensions: number,
  { bytes, count }: { readonly bytes: Uint8Array; readonly count: number },
): Float32Array[] | undefined {
  if (bytes.length !== vectorBytes(kind, dimensions, count)) return undefined;
  const scaleBytes = kind === "int8" ? count * SCALE_BYTES : 0;
  const scales = new DataView(fromPlanes(bytes.subarray(0, scaleBytes), SCALE_BYTES).buffer);
  const view = new DataView(fromPlanes(bytes.subarray(scaleBytes), ELEMENT_BYTES[kind]).buffer);
  const vectors: Float32Array[] = [];
  for (let row = 0; row < count; row++) {
    const vector = new Float32Array(dimensions);
    for (let column = 0; column < dimensions; column++) {
      const at = (row * dimensions + column) * ELEMENT_BYTES[kind];
      if (kind === "f32") vector[column] = view.getFloat32(at, true);
      else if (kind === "f16") vector[column] = numberOfHalf(view.getUint16(at, true));
      else vector[column] = view.getInt8(at) * scales.getFloat32(row * SCALE_BYTES, true);
    }
    if (!vector.every(Number.isFinite)) return undefined;
    vectors.push(vector);
  }
  return vectors;
}
