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

/** Names that fill a line of their own in a letter head or signature. */
export function layoutEntities(
  text: string,
  phrases: readonly Phrase[],
  entities: readonly Entity[],
): readonly Entity[] {
  const lines = linesOf(text);
  if (lines.length < 2) return [];
  const personStarts = new Set(
    entities.flatMap(({ type, words }) => (type === "PERSON" && words[0] !== undefined ? [words[0].start] : [])),
  );
  const wordAt = new Map<number, Word>();
  for (const phrase of phrases) for (const word of phrase) wordAt.set(word.start, word);
  const followers = followersOf(lines);
  const isPerson = (line: Line | undefined): boolean =>
    line !== undefined && personStarts.has(line.start + line.text.indexOf(line.content));
  // A firm stands between two lines with a person: name, firm, name.
  const isBetween = (index: number): boolean => isPerson(lines[index - 1]) && isPerson(lines[index + 1]);
  // A name that stands on two lines of a letter head is the sender, not the firm.
  const lineCounts = new Map<string, number>();
  for (const { content } of lines) lineCounts.set(content, (lineCounts.get(content) ?? 0) + 1);
  const found: Entity[] = [];
  for (const [index, line] of lines.entries()) {
    const { content } = line;
    const start = line.start + line.text.indexOf(content);
    const first = wordAt.get(start);
    if (first === undefined || content.length > NAME_LENGTH_MAX || !/^[\p{L}\p{M}'’.,& -]+$/u.test(content)) continue;
    const type = typeOfLine(line, followers[index]) ?? (isBetween(index) ? "ORGANIZATION" : undefined);
    if (type === undefined || (personStarts.has(start) && !PARTNERS.test(content))) continue;
    const isRepeated = type === "ORGANIZATION" && content.includes(" ") && (lineCounts.get(content) ?? 0) > 1;
    const whole: Word = { ...first, text: content, end: first.start + content.length };
    found.push({
      type: isRepeated && !PARTNERS.test(content) ? "PERSON" : type,
      words: [whole],
      score: PARTNERS.test(content) ? 0.92 : 0.6,
    });
  }
  return found;
}
