import { spokenSentences, type Spoken, type SpokenSentence } from "./spoken-sentence.ts";

/** Candidates held at a time: each costs an embedding, and choosing among them costs their square. */
const CANDIDATES_MAX = 320;
/** Equal stretches of the segment; none is thinned out while another holds more, so that every part of a long talk can be heard. */
const STRETCHES = 64;
/** Words up to which a sentence gains by more of them; past it, it is long and says no more. */
const CONTENT_WORDS_MAX = 20;

/**
 * A bounded choice of sentences from messages that pass by one after the other. While there are few, all are kept; then the sentence with the fewest content
 * words of the stretch that holds most goes. Memory: 320 sentences of 300 characters. The same messages give the same choice.
 */
export class CandidateSentences {
  readonly #eventCount: number;
  readonly #stretches: SpokenSentence[][] = Array.from({ length: STRETCHES }, () => []);
  #eventsSeen = 0;
  #held = 0;

  /** @param eventCount messages that will come */
  constructor(eventCount: number) {
    this.#eventCount = Math.max(1, eventCount);
  }

  add(spoken: Spoken): void {
    const place = Math.min(STRETCHES - 1, Math.floor((this.#eventsSeen * STRETCHES) / this.#eventCount));
    this.#eventsSeen += 1;
    for (const sentence of spokenSentences(spoken)) {
      if (sentence.contentWordCount === 0) continue;
      this.#stretches[place]?.push(sentence);
      this.#held += 1;
      if (this.#held > CANDIDATES_MAX) this.#drop();
    }
  }

  /** In the order in which they were said. */
  all(): readonly SpokenSentence[] {
    return this.#stretches.flat();
  }

  #drop(): void {
    let fullest: SpokenSentence[] = [];
    for (const stretch of this.#stretches) if (stretch.length > fullest.length) fullest = stretch;
    let least = 0;
    const worth = (index: number): number => Math.min(CONTENT_WORDS_MAX, fullest[index]?.contentWordCount ?? 0);
    // Of equals the latest goes: what was said first stays.
    for (let index = 1; index < fullest.length; index++) if (worth(index) <= worth(least)) least = index;
    fullest.splice(least, 1);
    this.#held -= 1;
  }
}
