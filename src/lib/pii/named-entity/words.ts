import { fold, isCommonWord, isGivenName, isSurname } from "../gazetteer/lookup.ts";
import { matchesOf } from "../match-spans.ts";
import { LABELS, PARTICLES } from "./vocabulary.ts";

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

/** Letters after the first one, UTF-16 units; longer words are no names. */
const TAIL = "(?:[\\p{L}\\p{M}]|(?:['’](?!s(?!\\p{L}))|[.-])(?=\\p{L})){0,39}";
const ANY_WORD = new RegExp(`\\p{L}${TAIL}`, "gu");
/** Words that a name can hold: capitalised ones and particles. */
const NAME_WORD = new RegExp(
  `(?<![\\p{L}\\p{M}\\d]|\\p{L}['’.-])(?:\\p{Lu}${TAIL}|(?:${[...PARTICLES].join("|")})(?=[ ]))`,
  "gu",
);
/** Words in lower case with the endings of English demonyms. */
const DEMONYM_WORD =
  /(?<![\p{L}\p{M}])[a-z]{3,16}(?:an|ch|di|ek|er|ese|ic|in|ish|man|qi|si|sh|ni|tot|mi|ab|id|ot|ai|te|ew|im|st|nt)s?(?![\p{L}\p{M}])/gu;

const CALENDAR = new Set(
  (
    "january february march april may june july august september october november december " +
    "monday tuesday wednesday thursday friday saturday sunday"
  ).split(" "),
);

function kindOf(folded: string, isCapital: boolean): WordKind {
  if (folded.length === 1) return "initial";
  if (!isCapital && PARTICLES.has(folded)) return "particle";
  if (CALENDAR.has(folded) || LABELS.has(folded)) return "common";
  if (isCommonWord(folded)) return isGivenName(folded) || isSurname(folded) ? "either" : "common";
  if (isGivenName(folded)) return "given";
  return isSurname(folded) ? "surname" : "unknown";
}

/** True for words that carry no name by themselves. */
export function isPlainWord({ kind }: Word): boolean {
  return kind === "common" || kind === "either";
}

function wordOf(text: string, start: number): Word {
  const first = text.charAt(0);
  const isCapital = first !== first.toLowerCase();
  const folded = fold(text);
  return { text, start, end: start + text.length, folded, isCapital, kind: kindOf(folded, isCapital) };
}

/** Words that names can hold, in order: capitalised ones and particles, or all of them where the text has no capitals. */
export function wordsOf(text: string): readonly Word[] {
  const pattern = /\p{Lu}/u.test(text) ? NAME_WORD : ANY_WORD;
  return matchesOf(text, pattern).map((match) => wordOf(match[0], match.index));
}

/** Words in lower case that could be demonyms. */
export function lowerCaseCandidates(text: string): readonly Word[] {
  return matchesOf(text, DEMONYM_WORD).map((match) => wordOf(match[0], match.index));
}
