/** Characters of a phrase worth a bonus: shorter ones stand in every other text. */
const PHRASE_LENGTH_MIN = 6;

/** Lower case, one blank between words, no punctuation at the ends, blanks around it. '' when it is too short to mean anything. */
export function foldPhrase(query: string): string {
  const folded = foldText(query).replace(/^[\s\p{P}]+|[\s\p{P}]+$/gu, "");
  return folded.length < PHRASE_LENGTH_MIN ? "" : folded;
}

/** Compatibility forms resolved, lower case, one blank between words. */
export function foldText(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ");
}

/** Whether the text holds the folded phrase, not inside a longer word. */
export function containsPhrase(text: string, phrase: string): boolean {
  if (phrase === "") return false;
  const folded = foldText(text);
  for (let at = folded.indexOf(phrase); at !== -1; at = folded.indexOf(phrase, at + 1)) {
    if (!isWordCharacter(folded, at - 1) && !isWordCharacter(folded, at + phrase.length)) return true;
  }
  return false;
}

function isWordCharacter(text: string, index: number): boolean {
  return /[\p{L}\p{N}]/u.test(text.charAt(index));
}
