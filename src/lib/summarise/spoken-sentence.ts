/** What a message said, sentence by sentence, each with who said it and when: understandable without the rest. */
import { sentencesOf } from "../chunk/sentences.ts";
import { STOP_WORDS } from "../lexical/stop-words.ts";

/** One message of a session. */
export interface Spoken {
  readonly seq: number;
  readonly atMs: number;
  readonly speaker: string;
  readonly text: string;
}

export interface SpokenSentence extends Spoken {
  /** Different words of it that are no function words. */
  readonly contentWordCount: number;
}

/** Characters of a sentence; a longer one is cut at a word. */
export const SENTENCE_CHARACTERS_MAX = 300;
/** Characters of a speaker's name as it stands before a sentence. */
const SPEAKER_CHARACTERS_MAX = 60;
/** Sentences of one message; a message that holds more is a document, and its beginning says what it is about. */
const MESSAGE_SENTENCES_MAX = 60;
/** Characters of one message that are looked at. */
const MESSAGE_CHARACTERS_MAX = 20_000;
/** Of the characters that are neither blanks nor punctuation, as many are letters or digits in what is said; code and tables have fewer. */
const LETTER_SHARE_MIN = 0.85;

const MARKUP = /^(?:[#>*+•-]{1,6}\s+|\d{1,3}[.)]\s+)+|\*\*|__|`+/g;
const WORD = /[\p{L}\p{N}\p{M}]+/gu;

/** Different words of a text that are no function words, folded to lower case. */
export function contentWordsOf(text: string): ReadonlySet<string> {
  const words = (text.toLowerCase().match(WORD) ?? []).filter((word) => word.length > 1 && !STOP_WORDS.has(word));
  return new Set(words);
}

/** The beginning of a message without its blocks of code, an unclosed one to the end. */
export function proseOf(text: string): string {
  const parts = text.slice(0, MESSAGE_CHARACTERS_MAX).toWellFormed().split("```");
  return parts.filter((_, index) => index % 2 === 0).join("\n");
}

function isProse(text: string): boolean {
  const dense = text.replace(/[\s.,!?…'"’“”;:–—-]+/gu, "");
  const letters = (dense.match(/[\p{L}\p{N}\p{M}]/gu) ?? []).length;
  return letters > 0 && letters / dense.length >= LETTER_SHARE_MIN;
}

function shortened(text: string): string {
  if (text.length <= SENTENCE_CHARACTERS_MAX) return text;
  const cut = text.slice(0, SENTENCE_CHARACTERS_MAX - 1).toWellFormed();
  const lastBlank = cut.lastIndexOf(" ");
  return `${cut.slice(0, lastBlank > SENTENCE_CHARACTERS_MAX / 2 ? lastBlank : cut.length).trimEnd()}…`;
}

/** Sentences of a message, in order, without markup, code and tables; at most 60. Pure. */
export function spokenSentences(spoken: Spoken): readonly SpokenSentence[] {
  const sentences: SpokenSentence[] = [];
  for (const line of proseOf(spoken.text).split("\n")) {
    const plain = line.trim().replaceAll(MARKUP, "").trim();
    for (const { start, end } of sentencesOf(plain, 0, plain.length)) {
      if (sentences.length === MESSAGE_SENTENCES_MAX) return sentences;
      const text = shortened(plain.slice(start, end).replace(/\s+/gu, " "));
      if (isProse(text)) sentences.push({ ...spoken, text, contentWordCount: contentWordsOf(text).size });
    }
  }
  return sentences;
}

const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });

/** "8 May 2023", UTC. */
export function dayOf(atMs: number): string {
  return DATE.format(atMs);
}

/** A speaker's name in one line of bounded length. */
export function speakerName(speaker: string): string {
  return speaker.slice(0, SPEAKER_CHARACTERS_MAX).toWellFormed().trim();
}

/** "Caroline (8 May 2023): I went there. It was good." a line; neighbours of one speaker and day share one. */
export function spokenText(sentences: readonly Spoken[]): string {
  const lines: { readonly head: string; text: string }[] = [];
  for (const { speaker, atMs, text } of sentences) {
    const head = `${speakerName(speaker)} (${dayOf(atMs)})`;
    const last = lines.at(-1);
    if (last?.head === head) last.text += ` ${text}`;
    else lines.push({ head, text });
  }
  return lines.map(({ head, text }) => `${head}: ${text}`).join("\n");
}
