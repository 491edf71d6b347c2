/** Texts of made-up words whose frequencies follow Zipf's law, with what the lexical side keeps of them. */
import { analyse } from "../../src/lib/lexical/analyse.ts";
import type { SeededRandom } from "../../test/support/seeded-random.ts";

const VOCABULARY_SIZE = 20_000;
/** Places of the table that words are drawn from: the rarest word of the vocabulary has five of them. */
const DRAWS = 1 << 20;
const SYLLABLES = [
  "ba",
  "dor",
  "fe",
  "gim",
  "ko",
  "lu",
  "mar",
  "ni",
  "po",
  "quel",
  "ri",
  "sa",
  "tov",
  "vi",
  "wen",
  "zu",
];

interface Word {
  readonly text: string;
  /** As stored in `lexemes`, from 1. */
  readonly dimension: number;
}

export interface SyntheticText {
  readonly text: string;
  /** Dimension and count, by dimension. */
  readonly lexemes: readonly (readonly [dimension: number, count: number])[];
  readonly lexemeCount: number;
}

/** Draws texts. The n-th word of the vocabulary comes up in proportion to 1/n. */
export class TextSource {
  readonly #words: readonly Word[];
  readonly #draws: Uint16Array;

  constructor() {
    this.#words = vocabulary();
    this.#draws = zipfDraws(this.#words.length);
  }

  /** A text of `wordCount` words. */
  next(random: SeededRandom, wordCount: number): SyntheticText {
    const counts = new Map<number, number>();
    let text = "";
    for (let index = 0; index < wordCount; index += 1) {
      const word = this.#draw(random);
      text += (index === 0 ? "" : " ") + word.text;
      counts.set(word.dimension, Math.min(15, (counts.get(word.dimension) ?? 0) + 1));
    }
    return { text, lexemes: [...counts].sort((a, b) => a[0] - b[0]), lexemeCount: wordCount };
  }

  #draw(random: SeededRandom): Word {
    const word = this.#words[this.#draws[random.below(DRAWS)] ?? 0];
    if (word === undefined) throw new Error("the table of draws names words of the vocabulary only");
    return word;
  }
}

// Words of which the analyser keeps exactly one stem, each another one.
function vocabulary(): Word[] {
  const words: Word[] = [];
  const seen = new Set<number>();
  for (let number = SYLLABLES.length; words.length < VOCABULARY_SIZE; number += 1) {
    let text = "";
    for (let rest = number; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) {
      text += SYLLABLES[rest % SYLLABLES.length] ?? "";
    }
    const [dimension, ...more] = analyse(text).counts.keys();
    if (dimension === undefined || more.length > 0 || seen.has(dimension)) continue;
    seen.add(dimension);
    words.push({ text, dimension });
  }
  return words;
}

function zipfDraws(wordCount: number): Uint16Array {
  const harmonic = Array.from({ length: wordCount }, (_, rank) => 1 / (rank + 1)).reduce(
    (sum, share) => sum + share,
    0,
  );
  const draws = new Uint16Array(DRAWS);
  let place = 0;
  let cumulative = 0;
  for (let rank = 0; rank < wordCount; rank += 1) {
    cumulative += 1 / (rank + 1) / harmonic;
    const end = rank === wordCount - 1 ? DRAWS : Math.round(cumulative * DRAWS);
    draws.fill(rank, place, end);
    place = Math.max(place, end);
  }
  return draws;
}
