import type { PiiType } from "../../contract/pii.ts";
import { isDemonym, isPlace, isSurname } from "../gazetteer/lookup.ts";
import type { Phrase } from "./phrases.ts";
import * as vocabulary from "./vocabulary.ts";
import { isPlainWord, type WordKind } from "./words.ts";

/** What a phrase is taken for. */
export interface Entity {
  readonly type: PiiType;
  readonly words: Phrase;
  readonly score: number;
}

/** The text next to a phrase: enough for a clause. */
export interface Surroundings {
  readonly before: string;
  readonly after: string;
}

// Evidence that a phrase is a person, added up over its words and surroundings; 0.5 is enough. Set by reasoning and coarse trials: a known
// given name stands alone, two unknown capitalised words do not, a surname's ending is worth most of a known surname.
const WEIGHTS: Readonly<Record<WordKind, number>> = {
  given: 0.5,
  surname: 0.5,
  initial: 0.25,
  particle: 0,
  either: 0.2,
  common: -0.2,
  unknown: 0.22,
};
const SURNAME_ENDING_WEIGHT = 0.45;
const CONTEXT_WEIGHT = 0.3;
const PERSON_SCORE_MIN = 0.5;
const PERSON_SCORE_MAX = 0.9;
/** What a listed place without a given name in it needs to be a person: "Poland" is a surname as well. */
const PERSON_NOT_PLACE_MIN = 0.75;

function hasFirstName(words: Phrase): boolean {
  return words.some((word) => word.kind === "given" || word.kind === "initial");
}

function personScore(words: Phrase, { before, after }: Surroundings): number {
  let score = 0;
  for (const word of words) {
    const kind = word.kind;
    const hasEnding =
      kind === "unknown" &&
      word.text.length >= vocabulary.SURNAME_LENGTH_MIN &&
      vocabulary.SURNAME_ENDING.test(word.folded);
    score += hasEnding ? SURNAME_ENDING_WEIGHT : WEIGHTS[kind];
  }
  if (vocabulary.PERSON_BEFORE.test(before)) score += CONTEXT_WEIGHT;
  if (vocabulary.PERSON_AFTER.test(after)) score += CONTEXT_WEIGHT;
  if (vocabulary.PLACE_BEFORE.test(before) && !hasFirstName(words)) score -= CONTEXT_WEIGHT;
  return score;
}

function nameOf(words: Phrase): string {
  return words.map((word) => word.folded).join(" ");
}

function isAllUpperCase(words: Phrase): boolean {
  const letters = words.map((word) => word.text).join("");
  return letters.length > 1 && letters === letters.toUpperCase();
}

function organizationOf(words: Phrase, { before, after }: Surroundings): Entity | undefined {
  const last = words[words.length - 1];
  if (last === undefined) return undefined;
  if (words.length > 1 && vocabulary.ORGANIZATION_SUFFIXES.has(last.folded)) {
    return { type: "ORGANIZATION", words, score: 0.8 };
  }
  const isNamedSo = vocabulary.ORGANIZATION_AFTER.test(after) || vocabulary.ORGANIZATION_BEFORE.test(before);
  if (isNamedSo && !words.every(isPlainWord)) return { type: "ORGANIZATION", words, score: 0.6 };
  const isHyphenatedPair = words.length === 1 && /^\p{Lu}[\p{L}']+-\p{Lu}[\p{L}']+$/u.test(last.text);
  const isPairOfNames = isHyphenatedPair && last.folded.split("-").every((part) => isSurname(part));
  return isPairOfNames ? { type: "ORGANIZATION", words, score: 0.55 } : undefined;
}

/** Shortest name in capitals that is taken for a place: "ATM" and "USB" are none. */
const UPPER_CASE_PLACE_LENGTH_MIN = 4;

function placeOf(words: Phrase, { before }: Surroundings, personEvidence: number): Entity | undefined {
  const isIn = vocabulary.PLACE_BEFORE.test(before);
  const isListed = isPlace(nameOf(words));
  const personMin = words.some((word) => word.kind === "given") ? PERSON_SCORE_MIN : PERSON_NOT_PLACE_MIN;
  const isFrequentWord = words.length === 1 && words.every(isPlainWord);
  if (isListed && (isIn || (personEvidence < personMin && !isFrequentWord))) {
    return { type: "GPE", words, score: 0.75 };
  }
  if (words.every(isPlainWord) || personEvidence >= PERSON_SCORE_MIN) return undefined;
  const isNear = isIn || vocabulary.DIRECTION_BEFORE.test(before);
  const isAcronym = isAllUpperCase(words) && nameOf(words).length < UPPER_CASE_PLACE_LENGTH_MIN;
  return isNear && !isAcronym ? { type: "GPE", words, score: 0.55 } : undefined;
}

/** True for an adjective or noun of nationality, plural included. */
export function isNationality(folded: string): boolean {
  return isDemonym(folded) || (folded.endsWith("s") && isDemonym(folded.slice(0, -1)));
}

/** The class of a phrase without honorifics, or undefined. */
export function classify(words: Phrase, surroundings: Surroundings): Entity | undefined {
  const organization = organizationOf(words, surroundings);
  if (organization !== undefined) return organization;
  const score = personScore(words, surroundings);
  const place = placeOf(words, surroundings, score);
  if (place !== undefined && place.score > 0.7) return place;
  if (words.every((word) => isNationality(word.folded))) return { type: "NRP", words, score: 0.8 };
  if (place !== undefined) return place;
  if (words.every((word) => word.kind === "common" || word.kind === "initial") || isAllUpperCase(words))
    return undefined;
  return score >= PERSON_SCORE_MIN ? { type: "PERSON", words, score: Math.min(PERSON_SCORE_MAX, score) } : undefined;
}

/** True where the words could be a person's name if their neighbours in a list are: "Becker" in "Kónya, Becker and Vasquez". */
export function couldBePerson(words: Phrase): boolean {
  return words.length <= 3 && words.every((word) => word.kind !== "common") && !isAllUpperCase(words);
}

/** Number of words at the end of the phrase that name a listed place, 0 where none do: "In United States" has two. */
export function placeWordsAtEnd(words: Phrase): number {
  for (let from = 0; from < words.length; from++) if (isPlace(nameOf(words.slice(from)))) return words.length - from;
  return 0;
}
