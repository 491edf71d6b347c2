import type { PiiSpan } from "../../contract/pii.ts";
import type { Detector } from "../detector.ts";
import { isCommonWord } from "../gazetteer/lookup.ts";
import { classify, couldBePerson, type Entity, isNationality, placeWordsAtEnd, type Surroundings } from "./classify.ts";
import { layoutEntities } from "./layout.ts";
import { partnersIn } from "./partners.ts";
import { type Phrase, phrasesOf } from "./phrases.ts";
import { HONORIFICS, TITLE_HONORIFICS } from "./vocabulary.ts";
import { isPlainWord, lowerCaseCandidates, type Word, wordsOf } from "./words.ts";

/** UTF-16 units of text read before and after a phrase: the last few words, and the clause that follows. */
const BEFORE = 28;
const AFTER = 48;

const DETECTOR = "named-entity";

function spanOf(text: string, { type, words, score }: Entity): PiiSpan {
  const start = words[0]?.start ?? 0;
  let end = words[words.length - 1]?.end ?? 0;
  if (type === "TITLE" && text.charAt(end) === ".") end += 1;
  if (type === "ORGANIZATION" && /(?:inc|corp|ltd|co)$/i.test(text.slice(start, end)) && text.charAt(end) === ".")
    end += 1;
  if (type === "GPE") end += /^ \(\p{Lu}\p{L}{1,20}\)/u.exec(text.slice(end, end + 24))?.[0].length ?? 0;
  return { type, start, end, score, detector: DETECTOR };
}

function surroundingsOf(text: string, words: Phrase): Surroundings {
  const start = words[0]?.start ?? 0;
  const end = words[words.length - 1]?.end ?? 0;
  return { before: text.slice(Math.max(0, start - BEFORE), start), after: text.slice(end, end + AFTER) };
}

function listOf(entity: Entity | undefined): readonly Entity[] {
  return entity === undefined ? [] : [entity];
}

/** What stands before an honorific, the honorific, and the person after it. */
function entitiesAround(text: string, phrase: Phrase, at: number): readonly Entity[] {
  const title = phrase.slice(at, at + 1);
  const head = at > 0 ? entitiesOfPhrase(text, phrase.slice(0, at)) : [];
  const rest = phrase.slice(at + 1);
  const cut = rest.findIndex((word, index) => index > 0 && word.kind === "common");
  const person = cut < 0 ? rest : rest.slice(0, cut);
  if (person.length === 0) return head;
  const isReported = title.some((word) => TITLE_HONORIFICS.has(word.folded));
  const titles: Entity[] = isReported ? [{ type: "TITLE", words: title, score: 0.85 }] : [];
  return [...head, ...titles, { type: "PERSON", words: person, score: 0.9 }];
}

/** The phrase without frequent words at its ends: "Unlike Becker", "Producer Rossi". */
function trimmedOf(phrase: Phrase): Phrase {
  const start = phrase.findIndex((word) => !isPlainWord(word));
  if (start < 0) return [];
  const end = phrase.findLastIndex((word) => word.kind !== "common") + 1;
  const isNameBefore = phrase.slice(Math.max(0, start - 1), start).some((word) => word.kind === "either");
  return phrase.slice(isNameBefore ? start - 1 : start, end);
}

function entitiesOfPhrase(text: string, phrase: Phrase): readonly Entity[] {
  const honorific = phrase.findIndex((word) => HONORIFICS.has(word.folded));
  if (honorific >= 0) return entitiesAround(text, phrase, honorific);
  const article = /^(?:the|a|an)$/.test(phrase[0]?.folded ?? "") ? 1 : 0;
  const words = phrase.slice(article);
  const whole = words.length > 0 ? classify(words, surroundingsOf(text, words)) : undefined;
  if (whole?.type === "ORGANIZATION" || (whole !== undefined && !words.some(isPlainWord))) return [whole];
  const placeLength = words.length > 1 ? placeWordsAtEnd(words) : 0;
  if (placeLength > 0 && placeLength < words.length) {
    const place = words.slice(words.length - placeLength);
    return listOf(classify(place, surroundingsOf(text, place)));
  }
  const trimmed = trimmedOf(words);
  const inner = trimmed.length > 0 ? classify(trimmed, surroundingsOf(text, trimmed)) : undefined;
  return listOf(inner ?? whole);
}

function coveredWords(entities: readonly Entity[]): ReadonlySet<Word> {
  return new Set(entities.flatMap((entity) => entity.words));
}

/** Names in a list with a person: "Kónya, Becker and Vasquez". */
function listedNames(text: string, phrases: readonly Phrase[], entities: readonly Entity[]): readonly Entity[] {
  const covered = coveredWords(entities);
  const people = new Set(entities.flatMap(({ type, words }) => (type === "PERSON" ? words : [])));
  const isPerson = (phrase: Phrase | undefined): boolean => phrase?.some((word) => people.has(word)) ?? false;
  const isListed = (a: Phrase | undefined, b: Phrase | undefined): boolean => {
    const gap = text.slice(a?.[a.length - 1]?.end, b?.[0]?.start);
    return a !== undefined && b !== undefined && /^(?:, | and |, and | & | or )$/.test(gap);
  };
  const found: Entity[] = [];
  for (const [index, phrase] of phrases.entries()) {
    if (phrase.some((word) => covered.has(word)) || !couldBePerson(phrase)) continue;
    const before = phrases[index - 1];
    const after = phrases[index + 1];
    if ((isListed(before, phrase) && isPerson(before)) || (isListed(phrase, after) && isPerson(after))) {
      found.push({ type: "PERSON", words: phrase, score: 0.55 });
      for (const word of phrase) people.add(word);
    }
  }
  return found;
}

/** Names of people who are named elsewhere in the text: "Yefremova" after "Faina D. Yefremova". */
function repeatedNames(phrases: readonly Phrase[], entities: readonly Entity[]): readonly Entity[] {
  const covered = coveredWords(entities);
  const known = new Set(
    entities
      .flatMap(({ type, words }) => (type === "PERSON" ? words.filter((word) => word.text.length > 2) : []))
      .map((word) => word.folded),
  );
  return phrases
    .flat()
    .filter((word) => word.isCapital && known.has(word.folded) && !covered.has(word))
    .map((word) => ({ type: "PERSON", words: [word], score: 0.6 }));
}

/** Nationalities in lower case: "I am cambodian". */
function lowerCaseNationalities(text: string): readonly Entity[] {
  return lowerCaseCandidates(text)
    .filter((word) => isNationality(word.folded) && !isCommonWord(word.folded))
    .map((word) => ({ type: "NRP", words: [word], score: 0.7 }));
}

/** Words of a text without capitals that may make up a name: known names, and what follows a given name or an initial. */
function lowerCaseMembers(text: string, words: readonly Word[]): ReadonlySet<Word> {
  const members = new Set<Word>();
  let last: Word | undefined;
  for (const word of words) {
    const isNext = last !== undefined && members.has(last) && /^\.? $/.test(text.slice(last.end, word.start));
    const mayFollow = isNext && (last?.kind === "given" || last?.kind === "initial");
    const isName = word.kind === "given" || word.kind === "surname" || HONORIFICS.has(word.folded);
    const follows = mayFollow && (word.kind === "unknown" || (word.kind === "initial" && word.folded !== "i"));
    if (isName || follows) members.add(word);
    last = word;
  }
  return members;
}

/** Words that may make up a name: capitalised ones, or known names where the text has no capitals at all. */
function memberTest(text: string, words: readonly Word[]): (word: Word) => boolean {
  if (/\p{Lu}/u.test(text)) return (word) => word.isCapital;
  const members = lowerCaseMembers(text, words);
  return (word) => members.has(word);
}

/** Detector of people, places, organisations, nationalities and honorifics, by word lists and the words around them. */
export const namedEntityDetector: Detector = {
  name: DETECTOR,
  types: ["PERSON", "GPE", "ORGANIZATION", "NRP", "TITLE"],
  mayFind: (text) => /\p{L}/u.test(text),
  find(text) {
    const words = wordsOf(text);
    const phrases = phrasesOf(text, words, memberTest(text, words));
    const direct = phrases.flatMap((phrase) => entitiesOfPhrase(text, phrase));
    const listed = [...direct, ...listedNames(text, phrases, direct)];
    const firms = [...layoutEntities(text, phrases, listed), ...partnersIn(text, phrases)];
    const all = [...listed, ...repeatedNames(phrases, listed), ...firms];
    return [...all, ...lowerCaseNationalities(text)].map((entity) => spanOf(text, entity));
  },
};
