/**
 * An alert's expression without what makes it empty while all is well: comparisons, and the other sides of `and` and `unless`. What is left has to
 * have data, or the alert could never fire. `absent` is asked for what it watches.
 */
export function healthyExpressions(expr: string): readonly string[] {
  return topLevelParts(expr, [" and ", " unless on (job_name) "]).map((part) => {
    const [left = part] = topLevelParts(part, [" > ", " < ", " == "]);
    return left.replace(/^absent\((.*)\)$/, "$1");
  });
}

/** Splits at words that stand outside of parentheses, braces and brackets. */
function topLevelParts(text: string, words: readonly string[]): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if ("({[".includes(character)) depth += 1;
    if (")}]".includes(character)) depth -= 1;
    const word = depth === 0 ? words.find((each) => text.startsWith(each, at)) : undefined;
    if (word === undefined) continue;
    parts.push(text.slice(start, at));
    start = at + word.length;
    at = start - 1;
  }
  return [...parts, text.slice(start)].map((part) => part.trim());
}
