/**
 * Order of two keys as R2 and S3 list them: that of their UTF-8 bytes. Differs from the order of JavaScript's strings where surrogates meet characters
 * behind them (U+E000 to U+FFFF). Negative: the first one comes before. Pure.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [unitA, unitB] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (unitA !== unitB) return rank(unitA) - rank(unitB);
  }
  return a.length - b.length;
}

/** Surrogates stand for characters behind all others. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
