/** How a text presents itself: bare, with quote signs before its lines, or dressed as the output of a search or a memory. */
export type Wrapping = "none" | "quoted" | "wrapped";

export interface UnwrappedText {
  /**
   * What is inside, in order: a list for each result that the wrapping tells apart, with its passages, which blank lines part. Never empty
   * lists or strings.
   */
  readonly results: readonly (readonly string[])[];
  readonly wrapping: Wrapping;
}

const QUOTE = /^(?:[ \t]*[>|])+[ \t]?/;
/** Opening and closing tags that prompts put round what was retrieved. */
const TAG =
  /^[ \t]*<\/?(?:memor(?:y|ies)|context|documents?|passages?|results?|search[-_]results?|retrieved[-_\w]*|chunks?)\b[^<>]{0,200}>[ \t]*/i;
/** The head of a list of results, with or without the first result on the same line: "Search results for x:", "**Memory 3** (score 0.8): …". */
const HEAD = new RegExp(
  [
    "^[ \\t]*[#*]* ?",
    "(?:(?:search |memory |retrieved |relevant |top |related )?(?:results?|memor(?:y|ies)|hits?|matches|context|passages|documents?)|from memory)",
    "(?: (?:found|for|from|about) [^:\\n]{1,80})?",
    "(?: ?[#(\\x5b]?\\d{1,3}[)\\x5d]?)?\\**",
    "(?: ?[(\\x5b]?(?:score|similarity)[ :=]+[\\d.]+[)\\x5d]?)?",
    "\\**:\\**(?:[ \\t]+|$)",
  ].join(""),
  "i",
);
/** A line that only says where a result comes from. */
const LABEL =
  /^[ \t]*[-*]?[ \t]*(?:score|similarity|source|document(?:_id)?|chunk(?:_index)?|rank|id|url|date)[ \t]*[:=].{0,200}$/i;
const NUMBER = /^[ \t]*(?:\[\d{1,3}\]|\(\d{1,3}\)|#?\d{1,3}[.):])[ \t]+/;
const FENCE = /^[ \t]*(?:```|~~~)/;

/** Takes off what clients, prompts and mail programs put round a text that they were given. O(length). */
export function unwrapReturned(text: string): UnwrappedText {
  const lines = text.split(/\r\n|[\n\r]/);
  const full = lines.filter((line) => line.trim() !== "");
  const isQuoted = full.length > 0 && full.every((line) => QUOTE.test(line));
  const bare = isQuoted ? lines.map((line) => line.replace(QUOTE, "")) : lines;
  const isWrapped = bare.some((line) => TAG.test(line) || HEAD.test(line));
  const results = resultsOf(bare, isWrapped);
  return { results, wrapping: isWrapped ? "wrapped" : isQuoted ? "quoted" : "none" };
}

function resultsOf(lines: readonly string[], isWrapped: boolean): string[][] {
  // Lines of passages of results.
  const results: string[][][] = [[[]]];
  for (const line of lines) {
    if (line.trim() === "" || (isWrapped && FENCE.test(line))) {
      results.at(-1)?.push([]);
      continue;
    }
    const inside = isWrapped ? unwrapLine(line) : line;
    // What is taken off the end of a line begins nothing.
    if (inside === "" || !line.startsWith(inside)) results.push([[]]);
    if (inside !== "") results.at(-1)?.at(-1)?.push(inside);
  }
  return results
    .map((passages) => passages.map((passage) => passage.join("\n").trim()).filter((passage) => passage !== ""))
    .filter((passages) => passages.length > 0);
}

function unwrapLine(line: string): string {
  if (LABEL.test(line)) return "";
  return line
    .replace(TAG, "")
    .replace(HEAD, "")
    .replace(NUMBER, "")
    .replace(/<\/[\w-]{1,40}>[ \t]*$/, "")
    .replace(/^[ \t]*["“](.*)["”][ \t]*$/, "$1");
}
