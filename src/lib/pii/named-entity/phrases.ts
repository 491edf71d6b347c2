import { PARTICLES } from "./vocabulary.ts";
import type { Word } from "./words.ts";

/** Capitalised words one blank apart, particles and initials between them included. */
export type Phrase = readonly Word[];

/** Words of one phrase; more is a headline. */
const PHRASE_WORDS_MAX = 8;

function isJoined(text: string, before: Word, after: Word): boolean {
  const gap = text.slice(before.end, after.start);
  return gap === " " || (gap === ". " && (before.kind === "initial" || before.text.length <= 4)) || gap === " & ";
}

/** Maximal phrases. @param isMember which words may begin or continue one besides particles */
export function phrasesOf(text: string, words: readonly Word[], isMember: (word: Word) => boolean): readonly Phrase[] {
  const phrases: Phrase[] = [];
  let current: Word[] = [];
  const flush = (): void => {
    const lastMember = current.findLastIndex(isMember);
    if (lastMember >= 0) phrases.push(current.slice(0, lastMember + 1));
    current = [];
  };
  for (const word of words) {
    const last = current[current.length - 1];
    if (last !== undefined && (!isJoined(text, last, word) || current.length >= PHRASE_WORDS_MAX)) flush();
    if (isMember(word) || (current.length > 0 && PARTICLES.has(word.folded))) current.push(word);
    else flush();
  }
  flush();
  return phrases;
}
