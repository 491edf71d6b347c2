/**
 * Loop guard. An assistant that reads its memory aloud into a conversation that is itself remembered would store the memory again, and
 * find it twice the next time. What comes back is told from what is said by containment: every word of the text, taken out of its
 * wrapping, lies in a run of words that a stored text of the same scope holds in the same order. One word of one's own, and it is kept.
 */
import { unwrapReturned, type Wrapping } from "./unwrap-returned.ts";

/** Words in a row that are no chance: "at the end of the" is four that anybody says. */
const RUN_WORDS = 6;
/**
 * Words that a text needs to be judged. Without a wrapping only the length says that it was not simply said again ("I like tea" is a
 * statement each time); with one, the wrapping says so.
 */
const WORDS_MIN = { none: 20, quoted: 6, wrapped: 6 } as const satisfies Record<Wrapping, number>;
/** Stored texts of one comparison: the largest page of search results. */
export const RETURNABLE_TEXTS_MAX = 100;
/** Words of a text that may come back: 100 results of a chunk each. A longer text is a document. */
const RETURNED_WORDS_MAX = 30_000;
/** Places in the stored texts at which one run is looked for; in a text of so many equal runs the rest is not worth the time. */
const PLACES_MAX = 8;
/** Texts that one input is looked up by in the store: a page of results and the passages of the first ones. */
const LOOKUPS_MAX = 128;
/** Passages in a row that are looked up as one text: a heading, its paragraph and some more, which a chunk of a document holds. */
const JOINED_PASSAGES_MAX = 6;
/** UTF-16 units of them: no chunk has more (250 tokens of 12 characters). */
const JOINED_CHARACTERS_MAX = 3_000;
const PARTING = "\n\n";

// Scripts that put no blank between words: each character is a word.
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[[\p{L}\p{N}\p{M}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]]+/gv;

/** A passage that a display cut short: its last word may be the head of a stored one. */
const CUT = /(?:…|\.\.\.)["”]?$/;

/** The words of a text without its wrapping. */
interface ReadText {
  readonly words: readonly string[];
  /** Places of words that a display may have cut short. */
  readonly cutPlaces: ReadonlySet<number>;
}

function wordsOf(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
}

function readText(passages: readonly string[]): ReadText {
  const words: string[] = [];
  const cutPlaces = new Set<number>();
  for (const passage of passages) {
    for (const word of wordsOf(passage)) words.push(word);
    if (CUT.test(passage)) cutPlaces.add(words.length - 1);
  }
  return { words, cutPlaces };
}

function isJudged(wordCount: number, wrapping: Wrapping): boolean {
  return wordCount >= WORDS_MIN[wrapping] && wordCount <= RETURNED_WORDS_MAX;
}

/**
 * What of a text may be a stored text verbatim, to be hashed and looked up among the chunks and documents of the same tenant and user: the
 * whole without its wrapping, each result, each passage, and passages in a row, the likelier first. Empty where the text is too short or
 * too long to be judged. At most 128, each of six words at least.
 */
export function lookupTexts(text: string): readonly string[] {
  const { results, wrapping } = unwrapReturned(text);
  const passages = results.flat();
  if (!isJudged(readText(passages).words.length, wrapping)) return [];
  const texts = new Set<string>();
  const alone = passages.map((passage) => [passage]);
  for (const parts of [passages, ...results, ...alone, ...passagesInARow(passages.slice(0, LOOKUPS_MAX))]) {
    if (texts.size >= LOOKUPS_MAX) break;
    const joined = parts.join(PARTING);
    if (wordsOf(joined).length >= RUN_WORDS) texts.add(joined);
  }
  return [...texts];
}

/** Two and more passages that follow each other and together are no longer than a chunk, the short rows first. */
function passagesInARow(passages: readonly string[]): (readonly string[])[] {
  const rows: (readonly string[])[] = [];
  for (let length = 2; length <= JOINED_PASSAGES_MAX; length++) {
    for (let start = 0; start + length <= passages.length; start++) {
      const row = passages.slice(start, start + length);
      if (row.reduce((sum, passage) => sum + passage.length, 0) <= JOINED_CHARACTERS_MAX) rows.push(row);
    }
  }
  return rows;
}

/** A chunk or document of the same scope. */
export interface ReturnableText {
  readonly id: string;
  readonly text: string;
}

export interface ReturnedText {
  /** The stored texts it consists of, those with the most of its words first. */
  readonly ids: readonly string[];
  readonly wordCount: number;
  readonly wrapping: Wrapping;
}

/**
 * Says of which stored texts a text consists, where it holds nothing else: case, punctuation, blanks, quote signs, the heads and numbers
 * of result lists and the cut end of a passage do not count. undefined where it has words of its own, is too short to tell, or longer
 * than what a search returns. O(words of all texts). At most `RETURNABLE_TEXTS_MAX` stored texts are looked at.
 */
export function findReturned(text: string, stored: readonly ReturnableText[]): ReturnedText | undefined {
  const { results, wrapping } = unwrapReturned(text);
  const read = readText(results.flat());
  const wordCount = read.words.length;
  if (!isJudged(wordCount, wrapping)) return undefined;
  const wordsById = coverText(read, new RunIndex(stored.slice(0, RETURNABLE_TEXTS_MAX)));
  if (wordsById === undefined) return undefined;
  const ids = [...wordsById].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([id]) => id);
  return { ids, wordCount, wrapping };
}

/** The words that each stored text gives, where runs of stored words cover the whole text; else undefined. */
function coverText(read: ReadText, index: RunIndex): ReadonlyMap<string, number> | undefined {
  const wordsById = new Map<string, number>();
  let covered = 0;
  // Runs may overlap: the next one may begin anywhere up to the end of what is covered, the longest wins.
  let from = 0;
  while (covered < read.words.length) {
    let best: Run | undefined;
    for (let start = from; start <= covered; start++) {
      const run = index.longestRun(read, start);
      if (run !== undefined && run.end > (best?.end ?? covered)) best = run;
    }
    if (best === undefined) return undefined;
    wordsById.set(best.id, (wordsById.get(best.id) ?? 0) + best.end - covered);
    from = Math.max(covered, best.end - RUN_WORDS + 1);
    covered = best.end;
  }
  return wordsById;
}

interface Run {
  readonly id: string;
  readonly end: number;
}

/** Where the runs of words of the stored texts begin. */
class RunIndex {
  readonly #texts: readonly { readonly id: string; readonly words: readonly string[] }[];
  readonly #places = new Map<string, { readonly text: number; readonly start: number }[]>();

  constructor(stored: readonly ReturnableText[]) {
    this.#texts = stored.map(({ id, text }) => ({ id, words: wordsOf(text) }));
    for (const [text, { words }] of this.#texts.entries()) {
      for (let start = 0; start + RUN_WORDS <= words.length; start++) {
        const key = words.slice(start, start + RUN_WORDS).join(" ");
        const places = this.#places.get(key);
        if (places === undefined) this.#places.set(key, [{ text, start }]);
        else if (places.length < PLACES_MAX) places.push({ text, start });
      }
    }
  }

  /** The longest run of at least `RUN_WORDS` words that begins at `start`. */
  longestRun({ words, cutPlaces }: ReadText, start: number): Run | undefined {
    let best: Run | undefined;
    for (const place of this.#places.get(words.slice(start, start + RUN_WORDS).join(" ")) ?? []) {
      const stored = this.#texts[place.text];
      if (stored === undefined) continue;
      let length = RUN_WORDS;
      while (start + length < words.length && stored.words[place.start + length] === words[start + length]) length++;
      const isCutHere = cutPlaces.has(start + length);
      if (isCutHere && stored.words[place.start + length]?.startsWith(words[start + length] ?? "") === true) length++;
      if (start + length > (best?.end ?? 0)) best = { id: stored.id, end: start + length };
    }
    return best;
  }
}
