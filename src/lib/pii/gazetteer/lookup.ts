import { COMMON_WORDS } from "./common-words.ts";
import { DEMONYMS } from "./demonyms.ts";
import { GIVEN_NAMES } from "./given-names.ts";
import { PLACES } from "./places.ts";
import { SURNAMES } from "./surnames.ts";

const LETTERS_WITHOUT_DECOMPOSITION: Readonly<Record<string, string>> = {
  ø: "o",
  ł: "l",
  đ: "d",
  ß: "ss",
  æ: "ae",
  ı: "i",
};

/** Lower case without accents: the form of the word lists. */
export function fold(word: string): string {
  const lower = word.toLowerCase();
  // oxlint-disable-next-line no-control-regex -- ASCII is the common case and needs nothing else
  if (/^[\x00-\x7f]*$/.test(lower)) return lower;
  const replaced = lower.replace(/[øłđßæı]/g, (letter) => LETTERS_WITHOUT_DECOMPOSITION[letter] ?? letter);
  return replaced.normalize("NFD").replace(/\p{M}/gu, "");
}

/** A list that is made into a set when it is first asked: 60 thousand words take some milliseconds, which most texts need not pay. */
function lazySet(list: string): (word: string) => boolean {
  let words: ReadonlySet<string> | undefined;
  return (word) => {
    words ??= new Set(list.replaceAll("\n", " ").split(" "));
    return words.has(word);
  };
}

const hasPlace = lazySet(PLACES);

/** All take folded words. */
export const isGivenName = lazySet(GIVEN_NAMES);
export const isSurname = lazySet(SURNAMES);
export const isCommonWord = lazySet(COMMON_WORDS);
export const isDemonym = lazySet(DEMONYMS);

/** Folded name of a country, capital, state of the USA or large city; its words one blank apart. */
export function isPlace(name: string): boolean {
  return hasPlace(name.replaceAll(" ", "_"));
}
