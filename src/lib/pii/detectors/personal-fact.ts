import type { PiiSpan, PiiType } from "../../contract/pii.ts";
import { type Detector, hasDigit } from "../detector.ts";
import { matchesOf } from "../match-spans.ts";

const MONTH =
  "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
const DAY = "(?:0?[1-9]|[12]\\d|3[01])";
const YEAR = "(?:1[89]|20)\\d{2}";
const TIME =
  "(?:[T ,]{1,2}(?:[01]?\\d|2[0-3]):[0-5]\\d(?::[0-5]\\d(?:\\.\\d{1,6})?)?(?: ?[ap]m\\b|Z|[+-]\\d{2}:?\\d{2})?)?";

interface FactRule {
  readonly type: PiiType;
  /** The value is group 1; flags d and g. */
  readonly pattern: RegExp;
  readonly score: number;
}

const RULES: readonly FactRule[] = [
  {
    type: "DATE_TIME",
    pattern: new RegExp(`(?<![\\w/.-])(${YEAR}-(?:0\\d|1[0-2])-(?:0\\d|[12]\\d|3[01])${TIME})(?![\\w-])`, "dg"),
    score: 0.9,
  },
  {
    type: "DATE_TIME",
    pattern: new RegExp(`(?<![\\w/.-])(${DAY}([/.-])${DAY}\\2(?:${YEAR}|\\d{2})${TIME})(?![\\w/-]|\\.\\d)`, "dg"),
    score: 0.85,
  },
  {
    type: "DATE_TIME",
    pattern: new RegExp(
      `\\b(${DAY}(?:st|nd|rd|th)?(?: of)? ${MONTH}\\.?,? ${YEAR}|${MONTH}\\.? ${DAY}(?:st|nd|rd|th)?,? ${YEAR})\\b`,
      "dgi",
    ),
    score: 0.85,
  },
  {
    type: "DATE_TIME",
    pattern: new RegExp(
      `\\b(?:in|since|during|until|from|between|by|of|a|an|after|before|around|circa|born|class of|on) (${YEAR})(?![\\w-]|[.,]\\d| \\d)`,
      "dgi",
    ),
    score: 0.6,
  },
  {
    type: "DATE_TIME",
    pattern: /\b(?:on|meet|last|next|this|every|by|until|see you) ((?:mon|tues|wednes|thurs|fri|satur|sun)day)\b/dgi,
    score: 0.55,
  },
  { type: "AGE", pattern: /\b(\d{1,3})(?=[ -]?(?:years?|yrs?)[ -](?:old|of age)\b| ?y\/?o\b)/dgi, score: 0.9 },
  {
    type: "AGE",
    pattern:
      /\b(?:turn(?:s|ed|ing)?|aged?:?|at the age of|age is|when (?:s?he|they|i|we) (?:was|were)|i'm|i’m|i am)(?: just| only| now| almost)? (\d{1,3})(?=$|[.,!?)\n]| years? old| and)/dgi,
    score: 0.7,
  },
  {
    type: "ZIP_CODE",
    pattern:
      /\b(?:zip|postal|post)(?:[ -]?code)?s?(?::| is:?|\s|#|=){1,3}\s{0,2}((?=[a-z\d -]{0,8}\d)[a-z\d]{2,5}(?:[ -][a-z\d]{2,4})?)(?![\w-])/dgi,
    score: 0.85,
  },
  {
    type: "ZIP_CODE",
    pattern:
      /\b(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]),? (\d{5}(?:-\d{4})?)(?![\w-])/dg,
    score: 0.8,
  },
  { type: "ZIP_CODE", pattern: /\b((?:[A-PR-UWYZ][A-HK-Y]?\d[A-Z\d]?) \d[ABD-HJLNP-UW-Z]{2})\b/dg, score: 0.7 },
  // "in Costamezzana 43015"; a year is none
  {
    type: "ZIP_CODE",
    pattern:
      /\b(?:in|from|to|near) (?:[\p{Lu}][\p{L}'’-]{1,24} ){1,4}((?!(?:19|20)\d{2}\b)(?:\d{3} \d{2}|\d{4,5}(?:-\d{3})?))(?![\w.,-]?\d|\p{L})/dgu,
    score: 0.6,
  },
];

const AGE_MAX = 120;

function spansOfRule(text: string, { type, pattern, score }: FactRule): readonly PiiSpan[] {
  const spans: PiiSpan[] = [];
  for (const match of matchesOf(text, pattern)) {
    const range = match.indices?.[1];
    if (range === undefined || (type === "AGE" && Number(match[1]) > AGE_MAX)) continue;
    spans.push({ type, start: range[0], end: range[1], score, detector: "personal-fact" });
  }
  return spans;
}

/** Dates, ages and postal codes by their form or the words before them. */
export const personalFactDetector: Detector = {
  name: "personal-fact",
  types: ["DATE_TIME", "AGE", "ZIP_CODE"],
  mayFind: (text) => hasDigit(text) || /day\b/i.test(text),
  find: (text) => RULES.flatMap((rule) => spansOfRule(text, rule)),
};
