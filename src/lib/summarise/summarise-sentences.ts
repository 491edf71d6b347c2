import { extractSummary, type SummaryOptions } from "./extract-summary.ts";
import { contentWordsOf, spokenText, type SpokenSentence } from "./spoken-sentence.ts";

/** Content words from which a sentence counts whole: "Hey!" and "That's great" hold next to nothing to stand for. */
const WHOLE_SENTENCE_WORDS = 8;
/** Content words from which it can stand for others. */
const STATEMENT_WORDS = 2;
/** How well a question stands for others. */
const QUESTION_FITNESS = 0.5;

/** Of one segment: about what a person writes of a session of twenty messages (700 characters), with names and dates. */
export const SEGMENT_SUMMARY: SummaryOptions = { sentencesMax: 12, charactersMax: 900 };
/** Of a whole session. */
export const SESSION_SUMMARY: SummaryOptions = { sentencesMax: 24, charactersMax: 1_800 };

/** A sentence of a summary, with its vector and the weight of what it stands for: all that a roll-up needs of it. */
export interface SummarySentence {
  readonly seq: number;
  readonly atMs: number;
  readonly speaker: string;
  readonly text: string;
  readonly weight: number;
  readonly vector: Float32Array;
}

/** Different content words of a sentence without the speakers' names: "Wow, Caroline!" says nothing, and is near to all that Caroline hears. */
function sayingWords(text: string, names: ReadonlySet<string>): number {
  let count = 0;
  for (const word of contentWordsOf(text)) if (!names.has(word)) count += 1;
  return count;
}

function namesOf(sentences: readonly { readonly speaker: string }[]): ReadonlySet<string> {
  return new Set(sentences.flatMap(({ speaker }) => [...contentWordsOf(speaker)]));
}

function fitnessOf(text: string, names: ReadonlySet<string>): number {
  const isQuestion = /[?？؟]\W{0,3}$/u.test(text);
  return Math.min(1, sayingWords(text, names) / STATEMENT_WORDS) * (isQuestion ? QUESTION_FITNESS : 1);
}

/** The summary of a segment from its sentences with their vectors, in the order of the talk. Pure. */
export function summariseSentences(
  spoken: readonly { readonly sentence: SpokenSentence; readonly vector: Float32Array }[],
  options: SummaryOptions = SEGMENT_SUMMARY,
): readonly SummarySentence[] {
  const names = namesOf(spoken.map(({ sentence }) => sentence));
  return choose(
    spoken.map(({ sentence, vector }) => ({
      seq: sentence.seq,
      atMs: sentence.atMs,
      speaker: sentence.speaker,
      text: sentence.text,
      weight: Math.min(1, sayingWords(sentence.text, names) / WHOLE_SENTENCE_WORDS),
      vector,
    })),
    options,
  );
}

/**
 * The summary of a session so far from that of what came before and that of its newest segment. A sentence counts with all that it stood for, so
 * that an old matter that was spoken of at length outweighs a new remark. Pure.
 */
export function rollUp(
  before: readonly SummarySentence[],
  segment: readonly SummarySentence[],
  options: SummaryOptions = SESSION_SUMMARY,
): readonly SummarySentence[] {
  return choose([...before, ...segment], options);
}

function choose(sentences: readonly SummarySentence[], options: SummaryOptions): readonly SummarySentence[] {
  const names = namesOf(sentences);
  const chosen = extractSummary(
    sentences.map(({ text, vector, weight }) => ({
      text,
      vector,
      weight,
      fitness: fitnessOf(text, names),
    })),
    options,
  );
  return chosen.flatMap(({ index, stoodFor }) => {
    const sentence = sentences[index];
    return sentence === undefined ? [] : [{ ...sentence, weight: stoodFor }];
  });
}

/** Text of a summary, and the events whose sentences it holds. */
export function summaryText(sentences: readonly SummarySentence[]): {
  readonly text: string;
  readonly members: readonly number[];
} {
  return { text: spokenText(sentences), members: [...new Set(sentences.map(({ seq }) => seq))] };
}
