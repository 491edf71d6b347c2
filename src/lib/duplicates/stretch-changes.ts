import { isTypo, type Stretch } from "./align-tokens.ts";
import { editDistance } from "./edit-distance.ts";
import { isFact, isPolar } from "./facts.ts";
import type { TextToken } from "./tokens.ts";

/** A text with its tokens. */
export interface TokenisedText {
  readonly text: string;
  readonly tokens: readonly TextToken[];
}

/** What the two sides of a stretch differ by. */
export interface StretchChanges {
  /** Tokens of the later side that say the same as the earlier side. */
  readonly sharedTokens: number;
  readonly typos: number;
  /** Numbers that differ by one character: a typing error or another fact, the number of typing errors around decides. */
  readonly numberTypos: number;
  /** Numbers that differ by their separators alone. */
  readonly separatorChanges: number;
  readonly factChanges: number;
  readonly wordChanges: number;
}

const NONE: StretchChanges = {
  sharedTokens: 0,
  typos: 0,
  numberTypos: 0,
  separatorChanges: 0,
  factChanges: 0,
  wordChanges: 0,
};
/** Tokens of an insertion short enough to be part of the sentence it stands in. */
const INSERTED_WORDS_MAX = 2;

/** Judges one stretch of an alignment. */
export function changesOf(later: TokenisedText, earlier: TokenisedText, stretch: Stretch): StretchChanges {
  const inLater = later.tokens.slice(stretch.laterStart, stretch.laterEnd);
  const inEarlier = earlier.tokens.slice(stretch.earlierStart, stretch.earlierEnd);
  const isTurnedRound =
    (inLater.length === 0 && inEarlier.some(isPolar)) ||
    (inEarlier.length === 0 && inLater.length <= INSERTED_WORDS_MAX && inLater.some(isPolar));
  if (isTurnedRound) return { ...NONE, factChanges: 1 };
  if (inLater.length === 0 || inEarlier.length === 0) return NONE;
  const asWhole = sameByLetters(inLater, inEarlier);
  if (asWhole !== undefined) return asWhole;
  return inLater.length === inEarlier.length
    ? changesPairwise(later, earlier, stretch)
    : changesOfSides(later, earlier, stretch);
}

// The same letters cut or ordered otherwise: "of the" and "ofthe", "3.5" and "35", two words swapped.
function sameByLetters(inLater: readonly TextToken[], inEarlier: readonly TextToken[]): StretchChanges | undefined {
  const a = inLater.map((token) => token.folded).join("");
  const b = inEarlier.map((token) => token.folded).join("");
  const sharedTokens = inLater.length;
  if (a === b) return { ...NONE, sharedTokens };
  const digitsA = a.replaceAll(/\P{N}/gu, "");
  if (digitsA !== b.replaceAll(/\P{N}/gu, "")) return undefined;
  const lettersOnly = (joined: string): string => joined.replaceAll(/[^\p{L}\p{N}]/gu, "");
  if (digitsA !== "" && lettersOnly(a) === lettersOnly(b)) return { ...NONE, sharedTokens, separatorChanges: 1 };
  const sorted = (tokens: readonly TextToken[]): string =>
    tokens
      .map((token) => token.folded)
      .sort()
      .join(" "); // oxfmt
  if (sorted(inLater) === sorted(inEarlier)) return { ...NONE, sharedTokens };
  if (digitsA === "" && Math.max(inLater.length, inEarlier.length) <= 3 && editDistance(a, b, 1) === 1)
    return { ...NONE, sharedTokens, typos: 1 };
  return undefined;
}

function changesPairwise(later: TokenisedText, earlier: TokenisedText, stretch: Stretch): StretchChanges {
  const sum: Record<keyof StretchChanges, number> = { ...NONE };
  for (let offset = 0; stretch.laterStart + offset < stretch.laterEnd; offset++) {
    const a = later.tokens[stretch.laterStart + offset];
    const b = earlier.tokens[stretch.earlierStart + offset];
    if (a === undefined || b === undefined) break;
    const isEqual = a.folded === b.folded;
    if (isEqual || isTypo(a, b)) {
      sum.sharedTokens++;
      if (!isEqual) sum.typos++;
    } else if (a.kind === "number" && b.kind === "number" && editDistance(a.folded, b.folded, 1) === 1) {
      sum.numberTypos++;
    } else if (
      isFact(later.text, later.tokens, stretch.laterStart + offset) ||
      isFact(earlier.text, earlier.tokens, stretch.earlierStart + offset)
    ) {
      sum.factChanges++;
    } else {
      sum.wordChanges++;
    }
  }
  return sum;
}

function changesOfSides(later: TokenisedText, earlier: TokenisedText, stretch: Stretch): StretchChanges {
  const inLater = new Set(later.tokens.slice(stretch.laterStart, stretch.laterEnd).map((token) => token.folded));
  const inEarlier = new Set(
    earlier.tokens.slice(stretch.earlierStart, stretch.earlierEnd).map((token) => token.folded),
  );
  let sharedTokens = 0;
  let changed = 0;
  let hasFact = false;
  for (let index = stretch.laterStart; index < stretch.laterEnd; index++) {
    if (inEarlier.has(later.tokens[index]?.folded ?? "")) sharedTokens++;
    else {
      changed++;
      hasFact ||= isFact(later.text, later.tokens, index);
    }
  }
  for (let index = stretch.earlierStart; index < stretch.earlierEnd; index++)
    if (!inLater.has(earlier.tokens[index]?.folded ?? "")) hasFact ||= isFact(earlier.text, earlier.tokens, index);
  return { ...NONE, sharedTokens, factChanges: hasFact ? 1 : 0, wordChanges: hasFact ? 0 : changed };
}
