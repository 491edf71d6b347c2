import { type Block, headingName } from "./blocks.ts";
import type { ChunkTokenCounter } from "./chunk.ts";

/** What a piece of text is about that it does not say itself: the names of the headings above it. */
export interface SectionContext {
  /** Headings from the outermost in, joined by " › "; '' outside any section. */
  readonly text: string;
  readonly tokenCount: number;
}

/** Tokens of a context at most, and its share of a chunk: it must not crowd out what it belongs to. The outermost names go first. */
const CONTEXT_TOKENS_MAX = 32;
const CONTEXT_SHARE_MAX = 0.25;
const NO_CONTEXT: SectionContext = { text: "", tokenCount: 0 };

/** Keeps the headings above the place where a walk through the blocks stands. */
export class SectionPath {
  readonly #counter: ChunkTokenCounter;
  readonly #tokensMax: number;
  readonly #open: { readonly level: number; readonly name: string }[] = [];

  constructor(counter: ChunkTokenCounter, chunkTokensMax: number) {
    this.#counter = counter;
    this.#tokensMax = Math.min(CONTEXT_TOKENS_MAX, Math.floor(chunkTokensMax * CONTEXT_SHARE_MAX));
  }

  /** Steps over a heading: sections of its level and below end here. */
  enter(block: Block, text: string): void {
    this.leave(block.level);
    this.#open.push({ level: block.level, name: headingName(text.slice(block.start, block.end)) });
  }

  /** Ends the sections from `level` on. */
  leave(level: number): void {
    while ((this.#open.at(-1)?.level ?? 0) >= level) this.#open.pop();
  }

  context(): SectionContext {
    for (let first = 0; first < this.#open.length; first++) {
      const text = this.#open
        .slice(first)
        .map((section) => section.name)
        .join(" › ");
      const tokenCount = this.#counter.count(text);
      if (tokenCount <= this.#tokensMax) return { text, tokenCount };
    }
    return NO_CONTEXT;
  }
}
