import { assert } from "../base/assert.ts";

/** A run of neighbouring documents of one request: the work of one queue message and one transaction. */
export interface DocumentRange {
  readonly documentStart: number;
  readonly documentCount: number;
}

export interface RangeBudget {
  /** UTF-8 bytes of text in one range. One document larger than this is a range of its own. */
  readonly textBytesMax: number;
  readonly documentsMax: number;
}

/** The first range gets this share of the budget, so that the first hits of a large request can be searched soon. */
const FIRST_RANGE_SHARE = 0.25;

/** Cuts a request into ranges, in order and without gaps. `textBytes` has one entry a document; no document gives no range. */
export function splitRanges(textBytes: readonly number[], budget: RangeBudget): DocumentRange[] {
  const ranges: DocumentRange[] = [];
  let start = 0;
  let bytes = 0;
  for (const [index, size] of textBytes.entries()) {
    const share = ranges.length === 0 ? FIRST_RANGE_SHARE : 1;
    const full =
      bytes + size > budget.textBytesMax * share ||
      index - start >= Math.max(1, Math.floor(budget.documentsMax * share));
    if (index > start && full) {
      ranges.push({ documentStart: start, documentCount: index - start });
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  if (textBytes.length > start) ranges.push({ documentStart: start, documentCount: textBytes.length - start });
  assert(
    ranges.reduce((sum, range) => sum + range.documentCount, 0) === textBytes.length,
    "ranges cover every document once",
  );
  return ranges;
}
