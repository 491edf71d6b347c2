/** The embedding model that new vectors are made with and queries meet. Row of `embedding_models`. */
export interface ActiveModel {
  readonly modelId: number;
  readonly fingerprint: string;
  readonly modelName: string;
  readonly dimensions: number;
  /** Tokens of one input, special tokens included. */
  readonly maxInputTokens: number;
  readonly queryPrefix: string;
  readonly documentPrefix: string;
}
