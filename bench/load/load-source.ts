/** Real text, cut into documents, none of which is sent twice to one tenant: nothing is a duplicate, and no vector is known. */
import type { BenchText } from "../support/read-texts.ts";

export interface LoadDocument {
  readonly key: string;
  readonly id: string;
  readonly text: string;
}

/** Parts of a text that end with a sentence once they have `charactersMin`. What is left at the end is part of the last one. Pure. */
export function passagesOf(text: string, charactersMin: number): readonly string[] {
  const passages: string[] = [];
  let passage = "";
  for (const { segment } of new Intl.Segmenter("en", { granularity: "sentence" }).segment(text)) {
    passage += segment;
    if (passage.length < charactersMin) continue;
    passages.push(passage);
    passage = "";
  }
  if (passages.length === 0) return passage.trim() === "" ? [] : [passage];
  return [...passages.slice(0, -1), `${passages.at(-1)}${passage}`];
}

/** Tenants that one run may fill: each holds every passage once. */
const TENANTS_MAX = 200;

/** Gives the passages in their order, and when they are used up again for the next tenant. */
export class LoadSource {
  readonly #passages: readonly BenchText[];
  readonly #keyOf: (tenantId: string) => Promise<string>;
  readonly #keys: string[] = [];
  #given = 0;

  constructor(
    texts: readonly BenchText[],
    options: { readonly charactersMin: number; readonly keyOf: (tenantId: string) => Promise<string> },
  ) {
    this.#passages = texts.flatMap(({ id, text }) =>
      passagesOf(text, options.charactersMin).map((passage, index) => ({ id: `${id}-${index}`, text: passage })),
    );
    this.#keyOf = options.keyOf;
    if (this.#passages.length === 0) throw new Error("there is no text to load with");
  }

  /** Makes the keys for so many documents more: then none waits for one while the clock runs. */
  async prepare(documentCount: number): Promise<void> {
    const tenants = Math.floor((this.#given + documentCount) / this.#passages.length) + 1;
    if (tenants > TENANTS_MAX)
      throw new Error(`more than ${TENANTS_MAX} times the whole text: give it more with --texts`);
    while (this.#keys.length < tenants) this.#keys.push(await this.#keyOf(`load-${this.#keys.length}`));
  }

  next(): LoadDocument {
    const passage = this.#passages[this.#given % this.#passages.length];
    const key = this.#keys[Math.floor(this.#given / this.#passages.length)];
    if (passage === undefined || key === undefined) throw new Error("more documents than were prepared");
    this.#given += 1;
    return { key, ...passage };
  }
}
