/** Decimal digits kept of each component: halfvec has 11 significant bits, which is 3.3 digits; jsonb keeps as many. */
const SIGNIFICANT_DIGITS = 5;

/** A vector as the text that both halfvec and jsonb read: `[0.0123,-0.4,…]`. Values are finite by the decoder's check. */
export function vectorLiteral(vector: Float32Array): string {
  const parts: (number | string)[] = [];
  // A halfvec keeps the sign of a component that was too small for it, and so does what is restored from it.
  for (const value of vector) parts.push(Object.is(value, -0) ? "-0" : Number(value.toPrecision(SIGNIFICANT_DIGITS)));
  return `[${parts.join(",")}]`;
}
