import { isSurname } from "../gazetteer/lookup.ts";
import type { Entity } from "./classify.ts";
import type { Phrase } from "./phrases.ts";
import { ORGANIZATION_AFTER, ORGANIZATION_BEFORE } from "./vocabulary.ts";
import type { Word } from "./words.ts";

/** What stands before the name of a firm. */
const FIRM_BEFORE = /(?:\b(?:the|from|at|for|of|with)\s|^)$/i;
/** UTF-16 units of text read before and after. */
const BEFORE = 28;
const AFTER = 48;

/** Firms named after three partners: "at Owens, Duran and Oneal". The same words after a colon or a verb are people. */
export function partnersIn(text: string, phrases: readonly Phrase[]): readonly Entity[] {
  const found: Entity[] = [];
  for (let index = 0; index + 2 < phrases.length; index++) {
    const [first, second, third] = [phrases[index]?.at(-1), phrases[index + 1], phrases[index + 2]?.[0]];
    const middle = second?.length === 1 ? second[0] : undefined;
    if (first === undefined || middle === undefined || third === undefined) continue;
    if (text.slice(first.end, middle.start) !== ", " || text.slice(middle.end, third.start) !== " and ") continue;
    if (![first, middle, third].every((word) => isSurname(word.folded))) continue;
    const before = text.slice(Math.max(0, first.start - BEFORE), first.start);
    const after = text.slice(third.end, third.end + AFTER);
    if (!FIRM_BEFORE.test(before) && !ORGANIZATION_BEFORE.test(before) && !ORGANIZATION_AFTER.test(after)) continue;
    const whole: Word = { ...first, text: text.slice(first.start, third.end), end: third.end };
    found.push({ type: "ORGANIZATION", words: [whole], score: 0.92 });
  }
  return found;
}
