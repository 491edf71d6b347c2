/** Counts the tokens of a text exactly as the active model's tokenizer would, without special tokens. */
export interface TokenCounter {
  count(text: string): number;
}
