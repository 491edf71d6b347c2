import { editDistance } from "./edit-distance.ts";
import type { TextToken } from "./tokens.ts";

/** Tokens that begin a match: fewer would tie unrelated sentences together. */
const SEED_TOKENS = 3;
/** Places of one seed that are looked at: a phrase repeated more often is a refrain, any of its places will do. */
const SEED_PLACES_MAX = 16;
/** Tokens a replaced, inserted or deleted stretch may have inside one run. Longer ones end the run. */
const STRETCH_TOKENS_MAX = 8;
/** Equal tokens that end a stretch of up to two tokens, and of a longer one. */
const RESUME_TOKENS_SHORT = 2;
const RESUME_TOKENS_LONG = 3;
/** Exact tokens elsewhere that show a moved passage rather than a changed one. */
const MOVED_TOKENS_MIN = 5;

/** Tokens [laterStart, laterEnd) stand where [earlierStart, earlierEnd) stood. One of the two may be empty. */
export interface Stretch {
  readonly laterStart: number;
  readonly laterEnd: number;
  readonly earlierStart: number;
  readonly earlierEnd: number;
}

/** How the tokens of a later text lie in an earlier one. */
export interface Alignment {
  /** Index of the counterpart in the earlier text, -1 for none. */
  readonly counterpart: Int32Array;
  /** 1 where a token of the earlier text has a counterpart. */
  readonly isUsed: Uint8Array;
  /** Pairs that differ by a typing error. */
  readonly typoCount: number;
  /** Stretches inside runs whose sides differ. */
  readonly stretches: readonly Stretch[];
}

/** Whether two words differ as a typing error makes them differ. Numbers never do. */
export function isTypo(a: TextToken, b: TextToken): boolean {
  if (a.kind !== "word" || b.kind !== "word") return false;
  const length = Math.max(a.folded.length, b.folded.length);
  if (length < 2) return false;
  // Two errors in one word keep its first letter nearly always; "increase" and "decrease" do not.
  const distanceMax = length >= 7 && a.folded[0] === b.folded[0] ? 2 : 1;
  return editDistance(a.folded, b.folded, distanceMax) <= distanceMax;
}

/**
 * Greedy string tiling with errors (after Wise's Running Karp-Rabin tiling, 1993): runs of the later text are found in the earlier one
 * wherever they stand there, so that moved sentences match; inside a run typing errors, changed, inserted and deleted stretches of up to
 * eight tokens are stepped over. Each token is matched at most once. About linear in the two lengths.
 */
export function alignTokens(later: readonly TextToken[], earlier: readonly TextToken[]): Alignment {
  return new Aligner(later, earlier).align();
}

class Aligner {
  readonly #later: readonly TextToken[];
  readonly #earlier: readonly TextToken[];
  readonly #places = new Map<string, number[]>();
  readonly #counterpart: Int32Array;
  readonly #isUsed: Uint8Array;
  readonly #stretches: Stretch[] = [];
  #typoCount = 0;

  constructor(later: readonly TextToken[], earlier: readonly TextToken[]) {
    this.#later = later;
    this.#earlier = earlier;
    this.#counterpart = new Int32Array(later.length).fill(-1);
    this.#isUsed = new Uint8Array(earlier.length);
    for (let place = 0; place + SEED_TOKENS <= earlier.length; place++) {
      const seed = seedAt(earlier, place);
      const places = this.#places.get(seed);
      if (places === undefined) this.#places.set(seed, [place]);
      else if (places.length < SEED_PLACES_MAX) places.push(place);
    }
  }

  align(): Alignment {
    let expected = 0;
    for (let index = 0; index < this.#later.length;) {
      const place = this.#bestPlace(index, expected);
      if (place === undefined) {
        index++;
        continue;
      }
      this.#extendBackward(index, place);
      const end = this.#extendForward(index, place);
      index = end.index;
      expected = end.place;
    }
    return {
      counterpart: this.#counterpart,
      isUsed: this.#isUsed,
      typoCount: this.#typoCount,
      stretches: this.#stretches,
    };
  }

  // Where the text is expected to go on, if it does; else the place with the longest exact run.
  #bestPlace(index: number, expected: number): number | undefined {
    if (index + SEED_TOKENS > this.#later.length) return undefined;
    let best: number | undefined;
    let bestLength = 0;
    for (const place of this.#places.get(seedAt(this.#later, index)) ?? []) {
      const exact = this.#exactRun(index, place);
      const length = exact + (place === expected ? MOVED_TOKENS_MIN : 0);
      if (exact < SEED_TOKENS || length <= bestLength) continue;
      best = place;
      bestLength = length;
    }
    return best;
  }

  #exactRun(index: number, place: number): number {
    let length = 0;
    while (this.#isEqual(index + length, place + length)) length++;
    return length;
  }

  #isEqual(index: number, place: number): boolean {
    const a = this.#later[index];
    return a !== undefined && a.folded === this.#earlier[place]?.folded && this.#isUsed[place] === 0;
  }

  #matches(index: number, place: number): "equal" | "typo" | "no" {
    const a = this.#later[index];
    const b = this.#earlier[place];
    if (a === undefined || b === undefined || this.#isUsed[place] !== 0 || this.#counterpart[index] !== -1) return "no";
    if (a.folded === b.folded) return "equal";
    return isTypo(a, b) ? "typo" : "no";
  }

  #take(index: number, place: number, match: "equal" | "typo"): void {
    this.#counterpart[index] = place;
    this.#isUsed[place] = 1;
    if (match === "typo") this.#typoCount++;
  }

  #extendBackward(index: number, place: number): void {
    for (let offset = 1; ; offset++) {
      const match = this.#matches(index - offset, place - offset);
      if (match === "no") return;
      this.#take(index - offset, place - offset, match);
    }
  }

  #extendForward(startIndex: number, startPlace: number): { index: number; place: number } {
    let index = startIndex;
    let place = startPlace;
    for (;;) {
      const match = this.#matches(index, place);
      if (match !== "no") {
        this.#take(index++, place++, match);
        continue;
      }
      const stretch = this.#isMoved(index) ? undefined : this.#stretchAt(index, place);
      if (stretch === undefined) return { index, place };
      this.#stretches.push(stretch);
      index = stretch.laterEnd;
      place = stretch.earlierEnd;
    }
  }

  #isMoved(index: number): boolean {
    if (index + SEED_TOKENS > this.#later.length) return false;
    const places = this.#places.get(seedAt(this.#later, index)) ?? [];
    return places.some((place) => this.#exactRun(index, place) >= MOVED_TOKENS_MIN);
  }

  // The shortest pair of stretches after which the texts agree again, or both end.
  #stretchAt(index: number, place: number): Stretch | undefined {
    for (let total = 1; total <= 2 * STRETCH_TOKENS_MAX; total++) {
      for (const laterLength of lengthsFor(total)) {
        const laterEnd = index + laterLength;
        const earlierEnd = place + total - laterLength;
        if (laterEnd > this.#later.length || earlierEnd > this.#earlier.length) continue;
        const needed = total <= 2 ? RESUME_TOKENS_SHORT : RESUME_TOKENS_LONG;
        if (this.#agrees(laterEnd, earlierEnd, needed))
          return { laterStart: index, laterEnd, earlierStart: place, earlierEnd };
      }
    }
    return undefined;
  }

  #agrees(index: number, place: number, needed: number): boolean {
    const left = Math.min(needed, this.#later.length - index, this.#earlier.length - place);
    const endsTogether = this.#later.length - index === this.#earlier.length - place;
    if (left < needed && !endsTogether) return false;
    for (let offset = 0; offset < left; offset++)
      if (this.#matches(index + offset, place + offset) === "no") return false;
    return true;
  }
}

function seedAt(tokens: readonly TextToken[], index: number): string {
  return `${tokens[index]?.folded} ${tokens[index + 1]?.folded} ${tokens[index + 2]?.folded}`;
}

// Ways to share `total` tokens between the two sides, the even ones first: a replaced word is likelier than one inserted and one deleted.
const LENGTHS: readonly (readonly number[])[] = Array.from({ length: 2 * STRETCH_TOKENS_MAX + 1 }, (_, total) =>
  Array.from({ length: total + 1 }, (_unused, length) => length)
    .filter((length) => length <= STRETCH_TOKENS_MAX && total - length <= STRETCH_TOKENS_MAX)
    .sort((a, b) => Math.abs(2 * a - total) - Math.abs(2 * b - total) || a - b),
);

function lengthsFor(total: number): readonly number[] {
  return LENGTHS[total] ?? [];
}
