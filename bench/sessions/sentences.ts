import type { BenchText } from "../support/read-texts.ts";

/** Characters of a sentence that somebody would say in one message. */
const CHARACTERS_MIN = 40;
const CHARACTERS_MAX = 400;

/** Different sentences of the texts, in their order. Pure. */
export function sentencesOf(texts: readonly BenchText[]): readonly string[] {
  const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });
  const sentences = texts.flatMap(({ text }) =>
    [...segmenter.segment(text)].map(({ segment }) => segment.replace(/\s+/g, " ").trim()),
  );
  return [...new Set(sentences)].filter(({ length }) => length >= CHARACTERS_MIN && length <= CHARACTERS_MAX);
}
