import { fold, isCommonWord, isGivenName, isSurname } from "../gazetteer/lookup.ts";
import { PARTICLES } from "./vocabulary.ts";

/** What the lists say of a word. "either": a name that is a frequent word as well, such as White or Mark. */
export type WordKind = "given" | "surname" | "initial" | "particle" | "either" | "common" | "unknown";

/** A word of the text. */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly folded: string;
  readonly isCapital: boolean;
  readonly kind: WordKind;
}

/** Longest word looked at, UTF-16 units; longer ones are no names. */
const WORD = /\p{L}(?:[\p{L}\p{M}]|(?:['’](?!s(?!\p{L}))|[.-])(?=\p{L})){0,39}/gu;

const CALENDAR = new Set(
  (
    "january february march april may june july august september october november december " +
    "monday tuesday wednesday thursday friday saturday sunday"
  ).split(" "),
);

function kindOf(folded: string, isCapital: boolean): WordKind {
  if (folded.length === 1) return "initial";
  if (!isCapital && PARTICLES.has(folded)) return "particle";
  if (CALENDAR.has(folded)) return "common";
  if (isCommonWord(folded)) return isGivenName(folded) || isSurname(folded) ? "either" : "common";
  if (isGivenName(folded)) return "given";
  return isSurname(folded) ? "surname" : "unknown";
}

/** True for words that carry no name by themselves. */
export function isPlainWord({ kind }: Word): boolean {
  return kind === "common" || kind === "either";
}

/** All words in order. Words in lower case count as common, unless the text has no capitals at all. */
export function wordsOf(text: string): readonly Word[] {
  const hasCapitals = /\p{Lu}/u.test(text);
  return Array.from(text.matchAll(WORD), ({ 0: word, index }) => {
    const first = word.charAt(0);
    const isCapital = first !== first.toLowerCase();
    const folded = fold(word);
    const isLookedUp = isCapital || !hasCapitals || PARTICLES.has(folded);
    const kind = isLookedUp ? kindOf(folded, isCapital) : "common";
    return { text: word, start: index, end: index + word.length, folded, isCapital, kind };
  });
}
