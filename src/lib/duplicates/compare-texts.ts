import { type Alignment, alignTokens } from "./align-tokens.ts";
import { type AddedPassages, measureAdded } from "./added-passages.ts";
import { changesOf, type StretchChanges, type TokenisedText } from "./stretch-changes.ts";
import { tokensOf } from "./tokens.ts";

/** What a later text has in common with an earlier one, and what it says anew. Counts are tokens of the later text unless said. */
export interface TextComparison extends StretchChanges, AddedPassages {
  readonly laterTokens: number;
  readonly earlierTokens: number;
  /** Tokens of the earlier text that are missing between matched ones: a copy that was cut off lacks its end, not its middle. */
  readonly missingInside: number;
  /** The later text has lost its punctuation, as after a filter; so its numbers have lost their separators. */
  readonly isUnpunctuated: boolean;
}

/** Tokens per mark of punctuation above which a text is said to have none; prose has one in seven to twelve. */
const TOKENS_PER_MARK_MAX = 60;

/** Compares two texts token by token, wherever the parts of the later one stand in the earlier one. Pure; about linear in their lengths. */
export function compareTexts(laterText: string, earlierText: string): TextComparison {
  const later: TokenisedText = { text: laterText, tokens: tokensOf(laterText) };
  const earlier: TokenisedText = { text: earlierText, tokens: tokensOf(earlierText) };
  const alignment = alignTokens(later.tokens, earlier.tokens);
  const sum = {
    sharedTokens: alignment.counterpart.reduce((count, place) => count + (place === -1 ? 0 : 1), 0),
    typos: alignment.typoCount,
    numberTypos: 0,
    separatorChanges: 0,
    factChanges: 0,
    wordChanges: 0,
  };
  const isExplained = new Uint8Array(later.tokens.length);
  for (const stretch of alignment.stretches) {
    const changes = changesOf(later, earlier, stretch);
    sum.sharedTokens += changes.sharedTokens;
    sum.typos += changes.typos;
    sum.numberTypos += changes.numberTypos;
    sum.separatorChanges += changes.separatorChanges;
    sum.factChanges += changes.factChanges;
    sum.wordChanges += changes.wordChanges;
    // An insertion stays a passage without a counterpart, a deletion stays missing.
    if (stretch.earlierEnd === stretch.earlierStart || stretch.laterEnd === stretch.laterStart) continue;
    isExplained.fill(1, stretch.laterStart, stretch.laterEnd);
    alignment.isUsed.fill(1, stretch.earlierStart, stretch.earlierEnd);
  }
  return {
    ...sum,
    ...measureAdded(later, earlier, alignment, isExplained),
    laterTokens: later.tokens.length,
    earlierTokens: earlier.tokens.length,
    missingInside: missingInside(alignment),
    isUnpunctuated: isUnpunctuated(later),
  };
}

function missingInside(alignment: Alignment): number {
  const first = alignment.isUsed.indexOf(1);
  const last = alignment.isUsed.lastIndexOf(1);
  let missing = 0;
  for (let place = first; place >= 0 && place <= last; place++) if (alignment.isUsed[place] === 0) missing++;
  return missing;
}

function isUnpunctuated({ text, tokens }: TokenisedText): boolean {
  const marks = text.match(/[.,;:!?。，、]/gu)?.length ?? 0;
  return tokens.length >= marks * TOKENS_PER_MARK_MAX;
}
