/** One piece of a document. Offsets are UTF-16 units, end exclusive: `text.slice(startOffset, endOffset)` is the chunk, to the letter. */
export interface Chunk {
  /** Position in the document, from 0. */
  readonly index: number;
  readonly startOffset: number;
  readonly endOffset: number;
  /** Tokens of the slice by the given counter, without special tokens. */
  readonly tokenCount: number;
  /**
   * Headings above the chunk's first words, outermost first, joined by " › "; in a talk also a line with who is speaking, or with what was
   * said before the turn that the chunk begins with. '' for none. Meant to be embedded before the slice.
   */
  readonly context: string;
  /** Tokens of `context`. With `tokenCount` and what is reserved they keep to the maximum. */
  readonly contextTokenCount: number;
}

export interface ChunkOptions {
  /** Tokens of a chunk at most, with what is embedded before it, without special tokens. */
  readonly maxTokens: number;
  /** Tokens that a chunk may repeat from the end of the one before it, in whole sentences of the same paragraph. */
  readonly overlapTokens: number;
  /** Tokens of what is embedded before each chunk, such as its title. The chunk yields to it down to CHUNK_TOKENS_MIN. */
  readonly reservedTokens?: number;
}

/** What one chunk's own text must keep to. */
export interface ChunkLimits {
  readonly maxTokens: number;
  readonly overlapTokens: number;
  /** UTF-16 units: a WordPiece tokenizer calls a word of any length one unknown token. */
  readonly maxCharacters: number;
}

/** Counts tokens as the embedding model would, without special tokens. */
export interface ChunkTokenCounter {
  count(text: string): number;
}

/** Tokens of a chunk with its context, where the model takes that many. Measured in docs/chunking.md: fewer lose recall, more would not fit MiniLM. */
const CHUNK_TOKENS_DEFAULT = 250;
/** A sentence or two, repeated only where a paragraph is cut in its middle. */
const OVERLAP_TOKENS_DEFAULT = 40;
/** Special tokens around one input: [CLS] and [SEP] or their like; two more for models that add a separator. */
const SPECIAL_TOKENS_MAX = 4;
/** A chunk shorter than this is not worth embedding, so the reserve ends here. */
const CHUNK_TOKENS_MIN = 32;
/** English prose has 4 to 5 characters a token; more than twice that is noise. */
const CHARACTERS_PER_TOKEN_MAX = 12;

/** Options for a model that takes `maxInputTokens`, special tokens included. */
export function chunkOptionsFor(maxInputTokens: number): ChunkOptions {
  const maxTokens = Math.min(CHUNK_TOKENS_DEFAULT, maxInputTokens - SPECIAL_TOKENS_MAX);
  return { maxTokens, overlapTokens: OVERLAP_TOKENS_DEFAULT };
}

/** Limits of the chunk's own text. */
export function chunkLimitsOf(options: ChunkOptions): ChunkLimits {
  const left = options.maxTokens - (options.reservedTokens ?? 0);
  const maxTokens = Math.max(Math.min(CHUNK_TOKENS_MIN, options.maxTokens), left);
  return { maxTokens, overlapTokens: options.overlapTokens, maxCharacters: maxTokens * CHARACTERS_PER_TOKEN_MAX };
}
