import { type Block, headingName } from "./blocks.ts";
import type { ChunkTokenCounter } from "./chunk.ts";

/** What a piece of text does not say itself: the headings above it, who is speaking, what was said before. */
export interface PieceContext {
  /** Headings from the outermost in, joined by " › "; under them a line of the talk. '' for none. */
  readonly text: string;
  readonly tokenCount: number;
}

/** Tokens of a context at most, and its share of a chunk: it must not crowd out what it belongs to. */
const CONTEXT_TOKENS_MAX = 32;
const CONTEXT_SHARE_MAX = 0.25;
/** UTF-16 units of a sentence that may become a context: longer ones have more tokens than that. */
const SAID_LENGTH_MAX = 300;
const NO_CONTEXT: PieceContext = { text: "", tokenCount: 0 };

/** The place of a walk through the blocks of a text: sections it stands in, and the turn of a talk. */
export class ContextTracker {
  readonly #counter: ChunkTokenCounter;
  readonly #tokensMax: number;
  readonly #sections: { readonly level: number; readonly name: string }[] = [];
  #speaker = "";
  #saidBefore = "";

  constructor(counter: ChunkTokenCounter, chunkTokensMax: number) {
    this.#counter = counter;
    this.#tokensMax = Math.min(CONTEXT_TOKENS_MAX, Math.floor(chunkTokensMax * CONTEXT_SHARE_MAX));
  }

  /** Steps before a heading: sections of its level and below, and any talk, end here. */
  leave(level: number): void {
    while ((this.#sections.at(-1)?.level ?? 0) >= level) this.#sections.pop();
    this.#speaker = "";
    this.#saidBefore = "";
  }

  /** Steps over a heading. */
  enter(block: Block, text: string): void {
    this.#sections.push({ level: block.level, name: headingName(text.slice(block.start, block.end)) });
  }

  /** Somebody begins to speak. The context of the turn's first words is what was said last. */
  startTurn(speaker: string): PieceContext {
    const context = this.#contextWith(this.#saidBefore);
    this.#speaker = speaker;
    return context;
  }

  /** Notes the last sentence of a block. `isLabelled`: it holds the speaker's name itself. */
  say(sentence: string, isLabelled: boolean): void {
    if (this.#speaker === "") return;
    const said = isLabelled ? sentence : `${this.#speaker}: ${sentence}`;
    this.#saidBefore = said.length <= SAID_LENGTH_MAX ? said : "";
  }

  /** Of the words that come now. */
  context(): PieceContext {
    return this.#contextWith(this.#speaker === "" ? "" : `${this.#speaker}:`);
  }

  // The outermost headings go first where all does not fit, the line of the talk goes where it does not fit alone.
  #contextWith(line: string): PieceContext {
    for (const lines of line === "" ? [[]] : [[line], []]) {
      for (let first = 0; first <= this.#sections.length; first++) {
        const path = this.#sections.slice(first).map((section) => section.name);
        const text = [path.join(" › "), ...lines].filter((part) => part !== "").join("\n");
        if (text === "") break;
        const tokenCount = this.#counter.count(text);
        if (tokenCount <= this.#tokensMax) return { text, tokenCount };
      }
    }
    return NO_CONTEXT;
  }
}
