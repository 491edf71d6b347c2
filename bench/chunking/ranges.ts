/** Half-open range of offsets. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Ranges in order, those that touch or overlap joined. */
export function joined(ranges: readonly Range[]): Range[] {
  const result: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = result.at(-1);
    if (last === undefined || range.start > last.end) result.push(range);
    else result[result.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
  }
  return result;
}

export function sizeOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, range) => sum + range.end - range.start, 0);
}

/** What two lists of joined ranges have in common. */
export function common(a: readonly Range[], b: readonly Range[]): Range[] {
  return a.flatMap((left) =>
    b.flatMap((right) => {
      const range = { start: Math.max(left.start, right.start), end: Math.min(left.end, right.end) };
      return range.start < range.end ? [range] : [];
    }),
  );
}
