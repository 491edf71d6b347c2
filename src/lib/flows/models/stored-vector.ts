import { assert } from "../../base/assert.ts";

/** Bytes before the elements of a halfvec in its binary form: int16 dimensions, int16 unused. */
const HALFVEC_HEADER_BYTES = 4;

/** Value of an IEEE 754 half-precision number. */
function halfToNumber(half: number): number {
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  const sign = half & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  assert(exponent < 31, "a stored vector is finite");
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** A vector as the candidate queries return it: base64 of pgvector's binary halfvec (big-endian), or a JSON array from the jsonb store. */
export function storedVector(text: string): Float32Array {
  if (text.startsWith("[")) {
    const values: unknown = JSON.parse(text);
    assert(Array.isArray(values), "a stored vector is an array");
    return Float32Array.from(values, Number);
  }
  const binary = atob(text);
  const dimensions = (binary.charCodeAt(0) << 8) | binary.charCodeAt(1);
  assert(binary.length === HALFVEC_HEADER_BYTES + 2 * dimensions, "a halfvec is as long as it says");
  return Float32Array.from({ length: dimensions }, (_, index) => {
    const at = HALFVEC_HEADER_BYTES + 2 * index;
    return halfToNumber((binary.charCodeAt(at) << 8) | binary.charCodeAt(at + 1));
  });
}
