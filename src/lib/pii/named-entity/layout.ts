import { isPlace } from "../gazetteer/lookup.ts";
import type { Entity } from "./classify.ts";
import type { Phrase } from "./phrases.ts";
import type { Word } from "./words.ts";

/** A line of a text with the words of its phrases. */
interface Line {
  readonly start: number;
  readonly text: string;
  /** Without the marks of quoted messages and blanks around. */
  readonly content: string;
}

/** Marks of quoted messages and blanks around a line's content. */
const LINE_CONTENT = /^[\s>?]*((?:[^\s,]|[\s,]+(?=[^\s,]))*)/;
/** No more of a line is looked at, UTF-16 units: longer ones are prose. */
const LINE_LENGTH_MAX = 120;
/** Partners' names as firms write them. */
const PARTNERS = /^\p{Lu}[\p{L}'’-]{1,24}, \p{Lu}[\p{L}'’-]{1,24} and \p{Lu}[\p{L}'’-]{1,24}$/u;
const STARTS_ADDRESS = /^(?:\d{1,5}\s|p\.? ?o\.? ?box|psc |unit \d|us(?:ns|cgc|nv|s) |the corner of )/i;
/** Letters and the signs that names hold. */
const IS_NAME = /^[\p{L}\p{M}'’.,& -]+$/u;
/** Longest content of a line that is a name by itself, UTF-16 units. */
const NAME_LENGTH_MAX = 48;

function linesOf(text: string): readonly Line[] {
  let start = 0;
  return text.split("\n").map((line) => {
    const entry = { start, text: line, content: LINE_CONTENT.exec(line.slice(0, LINE_LENGTH_MAX))?.[1] ?? "" };
    start += line.length + 1;
    return entry;
  });
}

/** For each line the next one with content; one pass from the end. */
function followersOf(lines: readonly Line[]): readonly (Line | undefined)[] {
  const followers: (Line | undefined)[] = [];
  let next: Line | undefined;
  for (let index = lines.length - 1; index >= 0; index--) {
    followers[index] = next;
    if (lines[index]?.content !== "") next = lines[index];
  }
  return followers;
}

/** What a line's follower says about a name that fills it: before a country it is a town, before an address a firm. */
function typeOfLine({ content }: Line, next: Line | undefined): Entity["type"] | undefined {
  if (PARTNERS.test(content)) return "ORGANIZATION";
  if (next === undefined) return undefined;
  if (isPlace(next.content.toLowerCase().replace(/ \d{4,6}$/, ""))) return "GPE";
  return STARTS_ADDRESS.test(next.content) ? "ORGANIZATION" : undefined;
}

/** Lines that a person's name starts. */
function personLines(lines: readonly Line[], entities: readonly Entity[]): ReadonlySet<Line> {
  const people = entities.filter(({ type }) => type === "PERSON");
  const starts = new Set(people.flatMap(({ words }) => words.slice(0, 1)).map((word) => word.start));
  return new Set(lines.filter((line) => starts.has(startOf(line))));
}

/** Offset of a line's content in the text. */
function startOf(line: Line): number {
  return line.start + line.text.indexOf(line.content);
}

function countsOf(lines: readonly Line[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { content } of lines) counts.set(content, (counts.get(content) ?? 0) + 1);
  return counts;
}

/** Names that fill a line of their own in a letter head or signature. */
export function layoutEntities(
  text: string,
  phrases: readonly Phrase[],
  entities: readonly Entity[],
): readonly Entity[] {
  const lines = linesOf(text);
  if (lines.length < 2) return [];
  const wordAt = new Map(phrases.flat().map((word) => [word.start, word]));
  const people = personLines(lines, entities);
  const isPerson = (line: Line | undefined): boolean => line !== undefined && people.has(line);
  const followers = followersOf(lines);
  const counts = countsOf(lines);

  /** Name, firm, name: a firm. A name of several words on two lines of a letter head is the sender. */
  const typeAt = (line: Line, index: number): Entity["type"] | undefined => {
    const isBetween = isPerson(lines[index - 1]) && isPerson(lines[index + 1]);
    const type = typeOfLine(line, followers[index]) ?? (isBetween ? "ORGANIZATION" : undefined);
    const isSender = line.content.includes(" ") && (counts.get(line.content) ?? 0) > 1 && !PARTNERS.test(line.content);
    return type === "ORGANIZATION" && isSender ? "PERSON" : type;
  };

  return lines.flatMap((line, index) => {
    const { content } = line;
    const first = wordAt.get(startOf(line));
    if (first === undefined || content.length > NAME_LENGTH_MAX || !IS_NAME.test(content)) return [];
    const type = typeAt(line, index);
    const isPartners = PARTNERS.test(content);
    if (type === undefined || (isPerson(line) && !isPartners)) return [];
    const whole: Word = { ...first, text: content, end: first.start + content.length };
    return [{ type, words: [whole], score: isPartners ? 0.92 : 0.6 }];
  });
}
