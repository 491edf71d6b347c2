import { isCommonWord } from "../gazetteer/lookup.ts";
import * as grammar from "./grammar.ts";

/** Half-open range of UTF-16 units. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** An address read from its first number or box on. */
export interface Address {
  /** A number before a street that has its own. */
  readonly lead: Range | undefined;
  readonly street: Range;
  readonly units: readonly Range[];
  /** True where a unit stands on the street's line. */
  readonly hasUnitOnLine: boolean;
  /** Cities, states and countries, in order. */
  readonly places: readonly Range[];
  readonly postcodes: readonly Range[];
  /** True where the address goes on over lines of its own. */
  readonly isBlock: boolean;
  readonly end: number;
}

/** Units and localities of one address; more is a list. */
const UNITS_MAX = 3;
const LOCALITIES_MAX = 5;
/** Words that a sentence starts with and no place does. */
const NO_PLACE =
  /^(?:I|It|He|She|They|We|You|The|This|That|My|And|But|Or|If|For|In|On|At|Is|Are|Mobile|Phone|Tel|Fax|Desk|Office|Email|Apt|Suite)\b/;
/** Months, and nouns that make a number a count: "12 June 1999", "5 Chapter 3". */
const NO_STREET =
  /^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|am\b|pm\b|of\b|and\b|or\b|to\b|x\b|in\b|is\b|for\b|by\b|the\b|years?\b|days?\b|hours?\b|min|sec|box\b|chapter|page|section|version|step|figure|table)/i;
/** Small words that no street name holds. */
const HAS_PROSE =
  /\s(?:is|are|was|were|for|with|that|this|from|to|at|in|has|have|it|not|can|will|my|your|please|because|until|since|than)\s/i;

function exec(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The last form, which no kind of street speaks for. */
const BETWEEN_NUMBERS = grammar.STREET_AFTER_NUMBER.at(-1);

/** True for "people ate 3": a word in lower case that is frequent. */
function hasFrequentWord(name: string): boolean {
  return name.split(/[\s\d.]+/).some((word) => word.length > 1 && word === word.toLowerCase() && isCommonWord(word));
}

/** End of the street name that starts at `at`, or -1. */
function streetEnd(text: string, at: number): number {
  const box = exec(grammar.BOX_NEXT, text, at - 1);
  if (box !== null) return box.index + box[0].length;
  if (NO_STREET.test(text.slice(at, at + 10))) return -1;
  for (const form of grammar.STREET_AFTER_NUMBER) {
    const match = exec(form, text, at);
    if (match === null || HAS_PROSE.test(` ${match[0]} `)) continue;
    if (form === BETWEEN_NUMBERS && hasFrequentWord(match[0])) continue;
    const end = at + match[0].length;
    return end + (exec(grammar.STREET_EXTENSION, text, end)?.[0].length ?? 0);
  }
  return -1;
}

function unitsFrom(
  text: string,
  at: number,
): { readonly units: readonly Range[]; readonly onLine: boolean; readonly ownLine: boolean; readonly end: number } {
  const units: Range[] = [];
  let [end, onLine, ownLine] = [at, false, false];
  for (let count = 0; count < UNITS_MAX; count++) {
    const match = exec(grammar.UNIT_NEXT, text, end);
    if (match === null) break;
    const gap = match[1] ?? "";
    if (gap.includes("\n")) ownLine = true;
    else onLine = true;
    units.push({ start: end + gap.length, end: end + match[0].length });
    end += match[0].length;
  }
  return { units, onLine, ownLine, end };
}

function localitiesFrom(
  text: string,
  at: number,
  mayFollowBlank: boolean,
): {
  readonly places: readonly Range[];
  readonly postcodes: readonly Range[];
  readonly isByLine: boolean;
  readonly end: number;
} {
  const places: Range[] = [];
  const postcodes: Range[] = [];
  let end = at;
  let isByLine = true;
  for (let count = 0; count < LOCALITIES_MAX; count++) {
    const match = exec(grammar.LOCALITY_NEXT, text, end);
    if (match === null) break;
    const gap = match[1] ?? "";
    const range = { start: end + gap.length, end: end + match[0].length };
    const isPlace = match[5] !== undefined;
    if (
      gap === "" ||
      (isPlace && (NO_PLACE.test(match[5] ?? "") || (!/[,\n]/.test(gap) && count === 0 && !mayFollowBlank)))
    )
      break;
    if (!isPlace && postcodes.length > 0) break;
    if (isPlace || match[3] !== undefined) places.push(range);
    else postcodes.push(range);
    isByLine &&= gap.includes("\n");
    end = range.end;
  }
  return { places, postcodes, isByLine: isByLine && places.length + postcodes.length > 1, end };
}

/** Reads the rest of an address whose street is known. */
export function continueAddress(text: string, lead: Range | undefined, street: Range): Address {
  const { units, onLine, ownLine, end } = unitsFrom(text, street.end);
  const localities = localitiesFrom(text, end, units.length > 0);
  const isBlock = (ownLine && !onLine) || localities.isByLine;
  return { lead, street, units, hasUnitOnLine: onLine, isBlock, ...localities };
}

/** The address whose first number is `head`, or undefined. */
export function parseAddress(text: string, head: Range): Address | undefined {
  const second = exec(grammar.SECOND_NUMBER, text, head.end);
  if (second !== null) {
    const start = head.end + second[0].length - (second[1]?.length ?? 0);
    const end = streetEnd(text, start + (second[1]?.length ?? 0) + 1);
    return end < 0 ? undefined : continueAddress(text, head, { start, end });
  }
  const name = head.end + (/^[ \t]*/.exec(text.slice(head.end, head.end + 2))?.[0].length ?? 0);
  const end = streetEnd(text, name);
  if (end < 0) return undefined;
  const hasOwnNumber = /\d[a-z]?\.?$/i.test(text.slice(name, end));
  return hasOwnNumber
    ? continueAddress(text, head, { start: name, end })
    : continueAddress(text, undefined, { start: head.start, end });
}
