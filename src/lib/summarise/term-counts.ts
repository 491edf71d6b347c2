import { contentWordsOf, proseOf } from "./spoken-sentence.ts";

/** In how many messages each word occurs. */
export interface TermCounts {
  readonly messageCount: number;
  readonly counts: ReadonlyMap<string, number>;
}

export const NO_TERMS: TermCounts = { messageCount: 0, counts: new Map() };

/** Different words counted: past it a new word is one that came up late, and no matter of the whole. */
const TERMS_MAX = 20_000;
/** Characters of a word. */
const TERM_CHARACTERS_MAX = 40;

/** Counts messages by word as they pass by. */
export class TermCounter {
  #messageCount = 0;
  readonly #counts = new Map<string, number>();

  add(text: string): void {
    this.#messageCount += 1;
    for (const word of contentWordsOf(proseOf(text))) {
      if (word.length > TERM_CHARACTERS_MAX || /^\d+$/.test(word)) continue;
      const count = this.#counts.get(word);
      if (count !== undefined || this.#counts.size < TERMS_MAX) this.#counts.set(word, (count ?? 0) + 1);
    }
  }

  read(): TermCounts {
    return { messageCount: this.#messageCount, counts: this.#counts };
  }
}

/** Both together, at most `termsMax` words of them: the most frequent, in order of code points where equal. */
export function addedTerms(a: TermCounts, b: TermCounts, termsMax: number): TermCounts {
  const counts = new Map(a.counts);
  for (const [word, count] of b.counts) counts.set(word, (counts.get(word) ?? 0) + count);
  const kept = [...counts].sort((x, y) => y[1] - x[1] || (x[0] < y[0] ? -1 : 1)).slice(0, termsMax);
  return { messageCount: a.messageCount + b.messageCount, counts: new Map(kept) };
}

/** Words of greeting and reply, which stand in every talk. */
const SMALL_TALK: ReadonlySet<string> = new Set(
  (
    "hey hi hello bye thanks thank please yes yeah yep ok okay oh wow haha great good nice cool awesome amazing sure really well also lot lots " +
    "thing things something anything everything get got getting go going gonna make made makes making see know think like love want need let " +
    "one way much many back even still always never time day today new keep take feel feels say said tell sounds sound hear glad happy sorry"
  ).split(" "),
);

/**
 * The words that tell these messages from those before them: n · ln(1 + (N + M) / (n + m)), where n of the N messages here and m of the M messages before hold
 * the word (tf-idf, Salton and Buckley 1988, over messages). The best first; in order of code points where equal.
 * The speakers' names are left out: that they speak is known.
 */
export function distinctiveTerms(
  here: TermCounts,
  before: TermCounts,
  { termsMax, names }: { readonly termsMax: number; readonly names: readonly string[] },
): readonly string[] {
  const said = new Set(names.flatMap((name) => [...contentWordsOf(name)]));
  const messages = here.messageCount + before.messageCount;
  return [...here.counts]
    .filter(([word]) => !SMALL_TALK.has(word) && !said.has(word) && word.length > 2)
    .map(([word, count]) => ({
      word,
      score: count * Math.log(1 + messages / (count + (before.counts.get(word) ?? 0))),
    }))
    .sort((a, b) => b.score - a.score || (a.word < b.word ? -1 : 1))
    .slice(0, termsMax)
    .map(({ word }) => word);
}
