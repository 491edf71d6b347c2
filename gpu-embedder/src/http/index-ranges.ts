/** Ascending indexes as ranges: `[0, 1, 2, 5]` is `0-2,5`. 2,048 indexes stay below 6 KB, which every proxy lets pass in a header. */
export function indexRanges(indexes: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const index of indexes) {
    const range = ranges.at(-1);
    if (range !== undefined && index === range.last + 1) range.last = index;
    else ranges.push({ first: index, last: index });
  }
  return ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}
