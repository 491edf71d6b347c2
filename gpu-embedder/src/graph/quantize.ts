import type { ActivationRange } from "./activation-ranges.ts";

/** A weight matrix as signed 8-bit integers with one scale per output channel; zero points are all 0. */
export type QuantizedMatrix = { readonly values: Int8Array; readonly scales: Float32Array };

/**
 * Quantizes a row-major [inputs x outputs] matrix symmetrically per output channel (column).
 * `levelMax` is the largest magnitude used: 127, or 64 where sums of u8 x s8 products must not saturate 16 bits.
 * Rounds half away from zero, so that the result does not depend on the sign. Pure.
 */
export function quantizeColumns(matrix: Float32Array, columnCount: number, levelMax: number): QuantizedMatrix {
  const rowCount = matrix.length / columnCount;
  const scales = new Float32Array(columnCount);
  for (let row = 0; row < rowCount; row++) {
    for (let column = 0; column < columnCount; column++) {
      const magnitude = Math.abs(matrix[row * columnCount + column] ?? 0);
      if (magnitude > (scales[column] ?? 0)) scales[column] = magnitude;
    }
  }
  for (let column = 0; column < columnCount; column++) scales[column] = (scales[column] ?? 0) / levelMax || 1;
  const values = new Int8Array(matrix.length);
  for (let row = 0; row < rowCount; row++) {
    for (let column = 0; column < columnCount; column++) {
      const index = row * columnCount + column;
      const level = (matrix[index] ?? 0) / (scales[column] ?? 1);
      values[index] = Math.sign(level) * Math.min(levelMax, Math.round(Math.abs(level)));
    }
  }
  return { values, scales };
}

/** Levels of an activation: u8, from 0. */
const ACTIVATION_LEVEL_MAX = 255;

/**
 * Size of a step and level of 0 for values of a range, as ONNX's DynamicQuantizeLinear takes them: the range is widened to hold 0, which is exact. Values
 * beyond it are cut off. Pure.
 */
export function stepOf(range: ActivationRange): { readonly step: number; readonly zero: number } {
  const [least, greatest] = [Math.min(0, range[0]), Math.max(0, range[1])];
  const step = Math.fround((greatest - least) / ACTIVATION_LEVEL_MAX) || 1;
  return { step, zero: Math.round(-least / step) };
}
