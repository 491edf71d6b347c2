import { compareTexts, type TextComparison } from "./compare-texts.ts";

/** Share of the later text that the earlier one must hold, boilerplate included. */
const SHARED_MIN = 0.5;
/** Share of the earlier text that a cut-off copy must still have. A single quoted sentence is no copy, and LSH would not find it. */
const COVERED_MIN = 0.3;
/** Share of the later text that may be new, outside boilerplate and without a new number: "Thanks, see below." above a quotation. */
const ADDED_SHARE_MAX = 0.12;
/** And its tokens at most: in a long text a small share is a passage. */
const ADDED_TOKENS_MAX = 40;
/** Share of the earlier text that may be missing from its middle. */
const MISSING_SHARE_MAX = 0.15;
/** Share of words that may be replaced by other words, and their number at most. */
const REPLACED_SHARE_MAX = 0.01;
const REPLACED_TOKENS_MAX = 3;
/** Of words with typing errors, this share is beyond recognition, and this share hits a number that stands in their midst. */
const TYPOS_BEYOND_RECOGNITION = 0.2;
const TYPOS_IN_NUMBERS = 0.34;
/** Fewer typing errors explain no changed fact. */
const TYPOS_MIN = 3;

export interface PairVerdict {
  readonly isDuplicate: boolean;
  /** Share of the later text, boilerplate aside, that the earlier one holds, 0..1. */
  readonly similarity: number;
  readonly comparison: TextComparison;
}

/**
 * Whether a later text adds nothing to an earlier one: the same with typing errors, other case or punctuation, moved sentences, added
 * boilerplate, quoted, or cut off. One replaced number, name, date or negation makes it another text, since a text that is dropped
 * wrongly loses something and one that is kept wrongly does not; only among many typing errors a digit may be one of them. A longer
 * text than the earlier one, with new content, is no duplicate. Pure; about linear in the lengths.
 */
export function judgePair(laterText: string, earlierText: string): PairVerdict {
  const comparison = compareTexts(laterText, earlierText);
  const content = Math.max(1, comparison.laterTokens - comparison.boilerplateTokens);
  return {
    isDuplicate: sharesEnough(comparison) && changesNoFact(comparison) && addsLittle(comparison),
    similarity: Math.min(1, comparison.sharedTokens / content),
    comparison,
  };
}

function sharesEnough({ sharedTokens, laterTokens, earlierTokens }: TextComparison): boolean {
  return sharedTokens >= SHARED_MIN * laterTokens && sharedTokens >= COVERED_MIN * earlierTokens;
}

function changesNoFact(comparison: TextComparison): boolean {
  const noise = comparison.typos >= TYPOS_MIN ? comparison.typos : 0;
  if (comparison.factChanges > Math.floor(noise * TYPOS_BEYOND_RECOGNITION * 0.5)) return false;
  if (comparison.numberTypos > noise * TYPOS_IN_NUMBERS) return false;
  return comparison.separatorChanges === 0 || comparison.isUnpunctuated;
}

function addsLittle(comparison: TextComparison): boolean {
  const noise = comparison.typos * TYPOS_BEYOND_RECOGNITION;
  const content = comparison.laterTokens - comparison.boilerplateTokens;
  const replacedMax = Math.min(REPLACED_TOKENS_MAX, REPLACED_SHARE_MAX * comparison.laterTokens);
  return (
    comparison.newFacts <= noise * TYPOS_IN_NUMBERS &&
    comparison.wordChanges + comparison.replacedTokens <= replacedMax + noise &&
    comparison.addedTokens <= Math.min(ADDED_TOKENS_MAX, ADDED_SHARE_MAX * content) &&
    comparison.missingInside <= MISSING_SHARE_MAX * comparison.earlierTokens
  );
}
