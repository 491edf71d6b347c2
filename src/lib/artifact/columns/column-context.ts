import { TailReader, type TailWriter } from "./tail.ts";
import type { WordCode } from "./word-code.ts";

/** UTF-16 units that coded words of one block may still become: a byte becomes a word, so the bytes bound nothing. */
export interface TextBudget {
  left: number;
}

/** Makes bytes of texts, none of which holds U+0000. */
export interface TextCoder {
  encode(texts: readonly string[]): Uint8Array;
}

/** Where the columns of a block are written to, besides their own values. */
export interface ColumnSink {
  /** Null: everything stays in the columns. */
  readonly tail: TailWriter | null;
  /** Null: texts stay as they are. */
  readonly words: TextCoder | null;
  readonly text: TextBudget;
}

/** What the columns of a block are read with. */
export interface ColumnSource {
  readonly tail: TailReader;
  readonly words: WordCode | null;
  readonly text: TextBudget;
}

/** For columns that stand alone, as those of a footer. */
export const NO_SINK: ColumnSink = { tail: null, words: null, text: { left: 0 } };
export const NO_SOURCE: ColumnSource = { tail: new TailReader(new Uint8Array()), words: null, text: { left: 0 } };
