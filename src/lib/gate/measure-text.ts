import { countEncoded, ENCODED_RUN_MIN } from "./count-encoded.ts";
import { countNoticeLines } from "./count-notice-lines.ts";
import type { RepeatMeasures } from "./line-list.ts";
import { measureRepetition, NO_REPETITION, type Repetition } from "./measure-repetition.ts";
import { scanText, type ScannedCharacters } from "./scan-text.ts";

/** Words from which repetition is looked for: Gopher's least document. A chat message pays nothing for it. */
export const REPETITION_WORDS_MIN = 50;

export interface TextMeasures extends ScannedCharacters {
  /** UTF-16 units, and those that are no blanks. */
  readonly characters: number;
  readonly solid: number;
  /** Units in long runs that look like base64 or hexadecimal. */
  readonly encoded: number;
  /** Lines that are notices of a web page. */
  readonly noticeLines: number;
  readonly words: WordMeasures;
  readonly lines: LineMeasures;
  readonly paragraphs: RepeatMeasures;
  readonly repetition: Repetition;
}

/** Words are parted by blanks; a Chinese or Japanese character is a word by itself. */
export interface WordMeasures {
  readonly count: number;
  readonly withLetters: number;
  readonly units: number;
  readonly stopWords: number;
  readonly lorem: number;
}

/** Lines of blanks alone do not count. `repeats` are of lines with more than three characters. */
export interface LineMeasures {
  readonly count: number;
  readonly bullets: number;
  readonly ellipses: number;
  readonly unpunctuated: number;
  readonly short: number;
  readonly repeats: RepeatMeasures;
}

/** Measures a text. O(length). */
export function measureText(text: string): TextMeasures {
  const { characters, words, lines, longestWord } = scanText(text);
  const { hashes, lengths } = words.compared;
  return {
    ...characters,
    characters: text.length,
    solid: words.units,
    encoded: longestWord >= ENCODED_RUN_MIN ? countEncoded(text) : 0,
    noticeLines: countNoticeLines(text),
    words: {
      count: words.count,
      withLetters: words.withLetters,
      units: words.units,
      stopWords: words.stopWords,
      lorem: words.lorem,
    },
    lines: {
      count: lines.count,
      bullets: lines.bullets,
      ellipses: lines.ellipses,
      unpunctuated: lines.unpunctuated,
      short: lines.short,
      repeats: lines.lines.measures(),
    },
    paragraphs: lines.paragraphs.measures(),
    repetition: hashes.length < REPETITION_WORDS_MIN ? NO_REPETITION : measureRepetition(hashes, lengths),
  };
}
