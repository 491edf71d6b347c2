import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TextTokenizer } from "../../src/engine/tokenizer.ts";

/** Texts of like length, the same for every side. */
export interface TextSet {
  readonly name: string;
  readonly texts: readonly string[];
  /** Tokens of each text by the model's tokenizer, special ones included. */
  readonly tokenCounts: readonly number[];
  readonly tokenCount: number;
  /** The texts as JSON strings, one a line, for sides in other processes. */
  readonly file: string;
}

/** Tokens wanted of the n-th text, special ones included: `unit` runs over [0, 1) evenly and deterministically. */
const LENGTHS = {
  short: (unit: number) => 10 + Math.floor(unit * 11),
  /** Even on a logarithmic scale: as many of 8 to 44 tokens as of 45 to 250. */
  mixed: (unit: number) => Math.floor(8 * (250 / 8) ** unit),
  long: (unit: number) => 180 + Math.floor(unit * 21),
} as const;
export type SetName = keyof typeof LENGTHS;
export const SET_NAMES: readonly SetName[] = ["short", "mixed", "long"];

/** The fractional part of n times this runs over [0, 1) evenly and in no order of size. */
const GOLDEN_RATIO_PART = 0.618_033_988_749_895;
const SPECIAL_TOKENS = 2;

interface Word {
  readonly text: string;
  readonly tokenCount: number;
}

/**
 * Cuts the texts of files into a set of given lengths: their words, in order and from the start again where they end, are filled into
 * one text after another until it has its tokens. The same files give the same set.
 */
export async function cutTextSet(
  name: SetName,
  source: readonly string[],
  options: { readonly tokenizer: TextTokenizer; readonly tokensMin: number; readonly folder: string },
): Promise<TextSet> {
  const words = await wordsOf(source, options);
  const texts: string[] = [];
  const tokenCounts: number[] = [];
  let position = 0;
  let total = 0;
  while (total < options.tokensMin) {
    const wanted = LENGTHS[name]((texts.length * GOLDEN_RATIO_PART) % 1);
    const chosen: string[] = [];
    let count = SPECIAL_TOKENS;
    for (let word = words[position % words.length]; word !== undefined; word = words[position % words.length]) {
      if (chosen.length > 0 && count + word.tokenCount > wanted) break;
      chosen.push(word.text);
      count += word.tokenCount;
      position += 1;
    }
    texts.push(chosen.join(" "));
    tokenCounts.push(count);
    total += count;
  }
  return writeSet(name, texts, tokenCounts, options.folder);
}

/** The first texts of a set, about `tokens` of them: to try settings with. */
export function partOfSet(set: TextSet, tokens: number, folder: string): TextSet {
  let count = 0;
  let total = 0;
  while (total < tokens && count < set.texts.length) total += set.tokenCounts[count++] ?? 0;
  return writeSet(`${set.name}-part`, set.texts.slice(0, count), set.tokenCounts.slice(0, count), folder);
}

function writeSet(name: string, texts: readonly string[], tokenCounts: readonly number[], folder: string): TextSet {
  const file = join(folder, `${name}.jsonl`);
  writeFileSync(file, texts.map((text) => `${JSON.stringify(text)}\n`).join(""));
  return { name, texts, tokenCounts, tokenCount: tokenCounts.reduce((sum, count) => sum + count, 0), file };
}

/** Words enough for `tokensMin` tokens; a word longer than the shortest text is left out. */
async function wordsOf(
  source: readonly string[],
  { tokenizer, tokensMin }: { readonly tokenizer: TextTokenizer; readonly tokensMin: number },
): Promise<readonly Word[]> {
  const known = new Map<string, number>();
  const words: Word[] = [];
  let total = 0;
  for (const text of source.flatMap((whole) => whole.split(/\s+/u)).filter((word) => word !== "")) {
    const tokenCount = known.get(text) ?? (await tokenizer.encode(text)).length - SPECIAL_TOKENS;
    known.set(text, tokenCount);
    if (tokenCount < 1 || tokenCount > LENGTHS.mixed(0) - SPECIAL_TOKENS) continue;
    words.push({ text, tokenCount });
    total += tokenCount;
    if (total >= tokensMin) break;
  }
  if (words.length === 0) throw new Error("the files have no words to cut texts from");
  return words;
}
