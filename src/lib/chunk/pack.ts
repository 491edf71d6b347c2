import type { ChunkLimits } from "./chunk.ts";
import type { BreakKind, Unit } from "./units.ts";

/** Units [own, last) of one chunk, and [first, own) of the chunk before, repeated as overlap. */
export interface Packing {
  readonly first: number;
  readonly own: number;
  readonly last: number;
}

/** The cheapest last chunk of a row of units: units from `from` on, and what all chunks up to it cost. */
interface Choice {
  readonly cost: number;
  readonly from: number;
  readonly ownTokens: number;
}

// Price of a cut, in the same money as the square of the share of a chunk that stays empty.
const BREAK_COST: Readonly<Record<BreakKind, number>> = {
  section: 0,
  paragraph: 0.02,
  line: 0.05,
  sentence: 0.15,
  row: 0.3,
  word: 0.6,
  heading: 1,
};

const NO_OVERLAP_ACROSS: ReadonlySet<BreakKind> = new Set<BreakKind>(["section", "paragraph", "heading"]);

/** Tokens that a chunk beginning with `unit` may have, its context aside. */
export function budgetOf(unit: Unit, limits: ChunkLimits): number {
  return limits.maxTokens - unit.context.tokenCount;
}

// First unit of the overlap of a chunk whose own units begin at `start`: whole units of the same paragraph.
function overlapStart(units: readonly Unit[], start: number, overlapTokens: number): number {
  let first = start;
  let tokenCount = 0;
  while (first > 0) {
    const unit = units[first - 1];
    if (unit === undefined || NO_OVERLAP_ACROSS.has(unit.breakAfter)) break;
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
  const best: Choice[] = [{ cost: 0, from: -1, ownTokens: 0 }];
  // Smallest total cost over the first `end` units; entries before it are final.
  for (let end = 1; end <= units.length; end++) {
    best.push(cheapestEnd(units, best, end, options));
  }
  const packings: Packing[] = [];
  for (let end = units.length; end > 0;) {
    const step = best[end];
    if (step === undefined) break;
    const first = overlapFor(units, { from: step.from, end }, options, step.ownTokens);
    packings.push({ first, own: step.from, last: end });
    end = step.from;
  }
  return packings.toReversed();
}

function cheapestEnd(
  units: readonly Unit[],
  best: readonly { readonly cost: number }[],
  end: number,
  options: ChunkLimits,
): Choice {
  const lastUnit = units[end - 1];
  const breakCost = end === units.length || lastUnit === undefined ? 0 : BREAK_COST[lastUnit.breakAfter];
  let choice = { cost: Number.POSITIVE_INFINITY, from: end - 1, ownTokens: 0 };
  let tokenCount = 0;
  for (let from = end - 1; from >= 0; from--) {
    const unit = units[from];
    if (unit === undefined || lastUnit === undefined) break;
    tokenCount += unit.tokenCount;
    const isAlone = from === end - 1;
    const budget = budgetOf(unit, options);
    if (!isAlone && (tokenCount > options.maxTokens || lastUnit.end - unit.start > options.maxCharacters)) break;
    // A chunk that begins further up may have a shorter context.
    if (!isAlone && tokenCount > budget) continue;
    const empty = Math.max(0, (budget - tokenCount) / budget);
    const cost = (best[from]?.cost ?? 0) + empty * empty + breakCost;
    if (cost >= choice.cost) continue;
    choice = { cost, from, ownTokens: tokenCount };
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
  const lead = units[from];
  const left = (lead === undefined ? options.maxTokens : budgetOf(lead, options)) - ownTokens;
  let first = overlapStart(units, from, Math.min(options.overlapTokens, left));
  const stop = units[end - 1]?.end ?? 0;
  while (first < from && stop - (units[first]?.start ?? 0) > options.maxCharacters) first++;
  return first;
}
