import type { SeededRandom } from "../../test/support/seeded-random.ts";
import { plainSentences } from "./plain-sentences.ts";

/** A text with other content that looks much like `text`; undefined where the text offers no hold. `other` is another text of the set. */
export type Change = (text: string, other: string, random: SeededRandom) => string | undefined;

const NUMBER = /(?<![\p{L}\p{N}])\d+(?:[.,]\d+)*(?![\p{L}\p{N}])/gu;

function otherNumber(number: string, random: SeededRandom): string {
  const changed = number.replaceAll(/\d/g, (digit) => String((Number(digit) + random.between(1, 9)) % 10));
  return changed.replace(/^0(?=\d)/, "1");
}

const allNumbers: Change = (text, _other, random) =>
  text.search(NUMBER) < 0 ? undefined : text.replaceAll(NUMBER, (number) => otherNumber(number, random));

const oneNumber: Change = (text, _other, random) => {
  const numbers = [...text.matchAll(NUMBER)];
  if (numbers.length === 0) return undefined;
  const chosen = random.pick(numbers);
  return text.slice(0, chosen.index) + otherNumber(chosen[0], random) + text.slice(chosen.index + chosen[0].length);
};

const NAMES = [
  "Henderson",
  "Okafor",
  "Lindqvist",
  "Moreau",
  "Takahashi",
  "Petrov",
  "Silva",
  "Kowalski",
  "Haddad",
  "O'Brien",
  "Nguyen",
  "Fischer",
];
const NAME = /(?<=[\p{Ll},] )\p{Lu}\p{Ll}{2,}/gu;

const names: Change = (text, _other, random) =>
  text.search(NAME) < 0
    ? undefined
    : text.replaceAll(NAME, (name) => random.pick(NAMES.filter((candidate) => candidate !== name)));

const replacedSentences: Change = (text, other, random) => {
  const sentences = plainSentences(text);
  const foreign = longSentences(other);
  if (sentences.length < 3 || foreign.length === 0) return undefined;
  const count = Math.max(1, Math.round(sentences.length * (0.05 + 0.15 * random.next())));
  const at = random.between(0, sentences.length - count);
  return [...sentences.slice(0, at), `${random.pick(foreign).trim()} `, ...sentences.slice(at + count)].join("");
};

const addedPassage: Change = (text, other, random) => {
  const sentences = plainSentences(text);
  const foreign = longSentences(other);
  const count = Math.max(2, Math.ceil(sentences.length * 0.25));
  if (foreign.length < count) return undefined;
  const at = random.pick([sentences.length, random.between(1, sentences.length)]);
  return [...sentences.slice(0, at), " ", ...foreign.slice(0, count), " ", ...sentences.slice(at)].join("");
};

function longSentences(text: string): string[] {
  return plainSentences(text).filter((sentence) => sentence.length >= 60);
}

const negation: Change = (text, _other, random) => {
  const verbs = [...text.matchAll(/\b(?:is|are|was|were|can|will|has|have|do|should)\b(?! not)/g)];
  if (verbs.length === 0) return undefined;
  const end = ((verb) => verb.index + verb[0].length)(random.pick(verbs));
  return `${text.slice(0, end)} not${text.slice(end)}`;
};

/** Changes of content: what they make is another text, a version of it or one like it. */
export const OTHER_CONTENT: Readonly<Record<string, Change>> = {
  "all numbers changed": allNumbers,
  "one number changed": oneNumber,
  "names changed": names,
  "sentences replaced": replacedSentences,
  "passage added": addedPassage,
  "one negation": negation,
};
