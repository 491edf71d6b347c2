import type { Alignment } from "./align-tokens.ts";
import { isPolar } from "./facts.ts";
import { boilerplateRanges } from "./boilerplate.ts";
import type { TokenisedText } from "./stretch-changes.ts";

/** Tokens of a passage, on both sides, from which one has replaced the other rather than been squeezed in. */
const REPLACED_TOKENS_MIN = 3;

/** What a later text says in passages without a counterpart. */
export interface AddedPassages {
  /** Outside boilerplate. */
  readonly addedTokens: number;
  readonly boilerplateTokens: number;
  /** Outside boilerplate: numbers that the earlier text has nowhere, and words that turn a statement round. */
  readonly newFacts: number;
  /** Tokens, outside boilerplate, where the earlier text says something else. */
  readonly replacedTokens: number;
}

/** Measures the runs of tokens of the later text that have no counterpart and lie in no replaced stretch. */
export function measureAdded(
  later: TokenisedText,
  earlier: TokenisedText,
  alignment: Alignment,
  isExplained: Uint8Array,
): AddedPassages {
  const known = new Set(earlier.tokens.filter((token) => token.kind === "number").map((token) => token.folded));
  const sum = { addedTokens: 0, boilerplateTokens: 0, newFacts: 0, replacedTokens: 0 };
  for (const gap of gapsOf(alignment, isExplained)) {
    const first = later.tokens[gap.start];
    if (first === undefined) break;
    // Up to the next token, so that the colon or stop after the last word is seen.
    const end = later.tokens[gap.end]?.start ?? later.text.length;
    const ranges = boilerplateRanges(later.text, first.start, end);
    const content = later.tokens
      .slice(gap.start, gap.end)
      .filter((token) => !ranges.some((range) => token.start >= range.start && token.start < range.end));
    sum.addedTokens += content.length;
    sum.boilerplateTokens += gap.end - gap.start - content.length;
    sum.newFacts += content.filter((token) =>
      token.kind === "number" ? !known.has(token.folded) : isPolar(token),
    ).length;
    const unusedBetween = missingBetween(alignment, gap);
    if (Math.min(content.length, unusedBetween) >= REPLACED_TOKENS_MIN) sum.replacedTokens += content.length;
  }
  return sum;
}

function gapsOf(alignment: Alignment, isExplained: Uint8Array): { start: number; end: number }[] {
  const gaps: { start: number; end: number }[] = [];
  let start = -1;
  for (let index = 0; index <= isExplained.length; index++) {
    const isOpen = index < isExplained.length && alignment.counterpart[index] === -1 && isExplained[index] === 0;
    if (isOpen && start < 0) start = index;
    if (isOpen || start < 0) continue;
    gaps.push({ start, end: index });
    start = -1;
  }
  return gaps;
}

// Tokens of the earlier text without a counterpart between the neighbours of the gap, where these follow each other there too.
function missingBetween(alignment: Alignment, gap: { readonly start: number; readonly end: number }): number {
  const before = gap.start === 0 ? -1 : (alignment.counterpart[gap.start - 1] ?? -1);
  const after =
    gap.end === alignment.counterpart.length ? alignment.isUsed.length : (alignment.counterpart[gap.end] ?? -1);
  let missing = 0;
  for (let place = before + 1; place < after; place++) if (alignment.isUsed[place] === 0) missing++;
  return missing;
}
