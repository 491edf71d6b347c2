import type { ChunkLimits } from "./chunk.ts";
import type { BreakKind, Unit } from "./units.ts";

/** Units [own, last) of one chunk, and [first, own) of the chunk before, repeated as overlap. */
export interface Packing {
  readonly first: number;
  readonly own: number;
  readonly last: number;
}

// Price of a cut, in the same money as the square of the share of a chunk that stays empty.
const BREAK_COST: Readonly<Record<BreakKind, number>> = {
  paragraph: 0,
  line: 0.05,
  sentence: 0.15,
  word: 0.6,
  heading: 1,
};

// First unit of the overlap of a chunk whose own units begin at `start`: whole units of the same paragraph.
function overlapStart(units: readonly Unit[], start: number, overlapTokens: number): number {
  let first = start;
  let tokenCount = 0;
  while (first > 0) {
    const unit = units[first - 1];
    if (unit === undefined || unit.breakAfter === "paragraph" || unit.breakAfter === "heading") break;
    if (tokenCount + unit.tokenCount > overlapTokens) break;
    tokenCount += unit.tokenCount;
    first--;
  }
  return first;
}

/**
 * Cuts the row of units into chunks of least total cost, where a chunk costs (empty share)² + the price of the cut after it:
 * chunks become full and equally full, so no small tail is left, and cuts fall at paragraph ends before sentence ends.
 * Dynamic programming from the left; each unit looks back over at most one chunk, so time is linear in the text.
 * Unit token counts are taken to add up; a caller whose tokenizer does otherwise checks the result.
 */
export function packUnits(units: readonly Unit[], options: ChunkLimits): Packing[] {
  const best: { cost: number; from: number; first: number }[] = [{ cost: 0, from: -1, first: 0 }];
  // Smallest total cost over the first `end` units; entries before it are final.
  for (let end = 1; end <= units.length; end++) {
    best.push(cheapestEnd(units, best, end, options));
  }
  const packings: Packing[] = [];
  for (let end = units.length; end > 0;) {
    const step = best[end];
    if (step === undefined) break;
    packings.push({ first: step.first, own: step.from, last: end });
    end = step.from;
  }
  return packings.toReversed();
}

function cheapestEnd(
  units: readonly Unit[],
  best: readonly { readonly cost: number }[],
  end: number,
  options: ChunkLimits,
): { cost: number; from: number; first: number } {
  const lastUnit = units[end - 1];
  const breakCost = end === units.length || lastUnit === undefined ? 0 : BREAK_COST[lastUnit.breakAfter];
  let choice = { cost: Number.POSITIVE_INFINITY, from: end - 1, first: end - 1 };
  let tokenCount = 0;
  for (let from = end - 1; from >= 0; from--) {
    const unit = units[from];
    if (unit === undefined || lastUnit === undefined) break;
    tokenCount += unit.tokenCount;
    const isAlone = from === end - 1;
    const tooLong = tokenCount > options.maxTokens || lastUnit.end - unit.start > options.maxCharacters;
    if (tooLong && !isAlone) break;
    const empty = Math.max(0, (options.maxTokens - tokenCount) / options.maxTokens);
    const cost = (best[from]?.cost ?? 0) + empty * empty + breakCost;
    if (cost >= choice.cost) continue;
    choice = { cost, from, first: overlapFor(units, { from, end }, options, tokenCount) };
  }
  return choice;
}

// The overlap takes only what the chunk's own units leave.
function overlapFor(
  units: readonly Unit[],
  own: { readonly from: number; readonly end: number },
  options: ChunkLimits,
  ownTokens: number,
): number {
  const { from, end } = own;
  if (options.overlapTokens === 0) return from;
  let first = overlapStart(units, from, Math.min(options.overlapTokens, options.maxTokens - ownTokens));
  const stop = units[end - 1]?.end ?? 0;
  while (first < from && stop - (units[first]?.start ?? 0) > options.maxCharacters) first++;
  return first;
}
