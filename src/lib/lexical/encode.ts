import type { Lexemes } from "./analyse.ts";
import { LEXEME_DIMENSIONS } from "./lexeme.ts";

function sorted(lexemes: Lexemes): [number, number][] {
  return [...lexemes.counts].sort((a, b) => a[0] - b[0]);
}

/** Text form of pgvector's sparsevec, `{dimension:count,…}/536870912`, dimensions from 1 in rising order. */
export function sparsevecText(lexemes: Lexemes): string {
  let text = "{";
  for (const [dimension, count] of sorted(lexemes)) text += (text.length > 1 ? "," : "") + dimension + ":" + count;
  return `${text}}/${LEXEME_DIMENSIONS}`;
}

/** JSON object from the dimension (decimal) to the count, for the jsonb column. */
export function lexemesJson(lexemes: Lexemes): string {
  let text = "{";
  for (const [dimension, count] of sorted(lexemes)) text += `${text.length > 1 ? "," : ""}"${dimension}":${count}`;
  return `${text}}`;
}
