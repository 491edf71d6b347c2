/** IEEE 754 binary16: 1 sign, 5 exponent and 10 fraction bits. */

const MANTISSA_STEPS = 1024;
const EXPONENT_BIAS = 15;
const EXPONENT_MIN = -14;
const LARGEST = 65_504;

/** Bits of the nearest half, ties to even. Beyond the largest half: the largest half. */
export function halfBitsOf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.min(Math.abs(value), LARGEST);
  if (magnitude === 0) return sign;
  const exponent = Math.max(EXPONENT_MIN, Math.floor(Math.log2(magnitude)));
  const units = roundToEven((magnitude / 2 ** exponent) * MANTISSA_STEPS);
  // A carry past the fraction (units = 2048) lands in the exponent by itself, and so does the smallest normal from below.
  return sign | (units - MANTISSA_STEPS + ((exponent + EXPONENT_BIAS) << 10));
}

function roundToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Value of a half's bits; infinities and NaN as such. */
export function numberOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** (EXPONENT_MIN - 10);
  return sign * (1 + fraction / MANTISSA_STEPS) * 2 ** (exponent - EXPONENT_BIAS);
}
