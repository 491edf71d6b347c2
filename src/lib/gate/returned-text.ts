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
/** Passages of one text that are looked up in the store. */
const LOOKUPS_MAX = 64;

// Scripts that put no blank between words: each character is a word.
const WORD =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[[\p{L}\p{N}\p{M}]--[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]]+/gv;

/** A passage that a display cut short: its last word may be the head of a stored one. */
const CUT = /(?:…|\.\.\.)["”]?$/;

interface Passage {
  readonly words: readonly string[];
  readonly isCut: boolean;
}

function wordsOf(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
}

/**
 * What of a text may be a stored text verbatim, to be hashed and looked up among the chunks and documents of the same tenant and user:
 * the whole without its wrapping, and each passage. Empty where the text is too short or too long to be judged. At most 64.
 */
export function lookupTexts(text: string): readonly string[] {
  const { passages, wrapping } = unwrapReturned(text);
  const whole = passages.join("\n\n");
  const count = wordsOf(whole).length;
  if (count < WORDS_MIN[wrapping] || count > RETURNED_WORDS_MAX) return [];
  return [...new Set([whole, ...passages])].slice(0, LOOKUPS_MAX);
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
  const { passages, wrapping } = unwrapReturned(text);
  const read = passages.map((passage): Passage => ({ words: wordsOf(passage), isCut: CUT.test(passage) }));
  const wordCount = read.reduce((sum, { words }) => sum + words.length, 0);
  if (wordCount < WORDS_MIN[wrapping] || wordCount > RETURNED_WORDS_MAX) return undefined;
  const index = new RunIndex(stored.slice(0, RETURNABLE_TEXTS_MAX));
  const wordsById = new Map<string, number>();
  for (const passage of read) {
    if (!coverPassage(passage, index, wordsById)) return undefined;
  }
  const ids = [...wordsById].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([id]) => id);
  return { ids, wordCount, wrapping };
}

/** Whether runs of stored words cover the whole passage; adds the words that each stored text gave. */
function coverPassage(passage: Passage, index: RunIndex, wordsById: Map<string, number>): boolean {
  let covered = 0;
  // Runs may overlap: the next one may begin anywhere up to the end of what is covered, the longest wins.
  let from = 0;
  while (covered < passage.words.length) {
    let best: Run | undefined;
    for (let start = from; start <= covered; start++) {
      const run = index.longestRun(passage, start);
      if (run !== undefined && run.end > (best?.end ?? covered)) best = run;
    }
    if (best === undefined) return false;
    wordsById.set(best.id, (wordsById.get(best.id) ?? 0) + best.end - covered);
    from = Math.max(covered, best.end - RUN_WORDS + 1);
    covered = best.end;
  }
  return true;
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
  longestRun(passage: Passage, start: number): Run | undefined {
    const { words } = passage;
    let best: Run | undefined;
    for (const place of this.#places.get(words.slice(start, start + RUN_WORDS).join(" ")) ?? []) {
      const stored = this.#texts[place.text];
      if (stored === undefined) continue;
      let length = RUN_WORDS;
      while (start + length < words.length && stored.words[place.start + length] === words[start + length]) length++;
      const isCutHere = passage.isCut && start + length === words.length - 1;
      if (isCutHere && stored.words[place.start + length]?.startsWith(words.at(-1) ?? "") === true) length++;
      if (start + length > (best?.end ?? 0)) best = { id: stored.id, end: start + length };
    }
    return best;
  }
}
