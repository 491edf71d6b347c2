import { fold } from "../gazetteer/lookup.ts";
import { PARTICLES } from "./vocabulary.ts";

/** A word of the text. */
export interface Word {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly folded: string;
  readonly isCapital: boolean;
  readonly isInitial: boolean;
}

/** Capitalised words one blank apart, particles and initials between them included. */
export type Phrase = readonly Word[];

/** Longest word looked at, UTF-16 units; longer ones are no names. */
const WORD = /\p{L}(?:[\p{L}\p{M}]|(?:['’](?!s(?!\p{L}))|[.-])(?=\p{L})){0,39}/gu;
/** Words of one phrase; more is a headline. */
const PHRASE_WORDS_MAX = 8;

function wordOf(text: string, start: number): Word {
  const first = text.charAt(0);
  return {
    text,
    start,
    end: start + text.length,
    folded: fold(text),
    isCapital: first !== first.toLowerCase(),
    isInitial: text.length === 1,
  };
}

/** All words in order. */
export function wordsOf(text: string): readonly Word[] {
  return Array.from(text.matchAll(WORD), (match) => wordOf(match[0], match.index));
}

function isJoined(text: string, before: Word, after: Word): boolean {
  const gap = text.slice(before.end, after.start);
  return gap === " " || (gap === ". " && (before.isInitial || before.text.length <= 4)) || gap === " & ";
}

/** Maximal phrases of capitalised words. @param isStart which words may begin or continue one besides particles */
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
