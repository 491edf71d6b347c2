import { ok, type Result } from "../base/result.ts";
import { readTokenizer, type TokenizerError } from "./library-token-counter.ts";
import type { TokenCounter } from "./token-counter.ts";
import { countsAddUpOverWords, wordTokenCounter } from "./word-token-counter.ts";

/** The counter of the model whose tokenizer.json this is: memoised by words where that is exact (BERT family), else the library itself. */
export function loadTokenCounter(tokenizerJson: Uint8Array): Result<TokenCounter, TokenizerError> {
  const read = readTokenizer(tokenizerJson);
  if (!read.ok) return read;
  const { counter, traits } = read.value;
  return ok(countsAddUpOverWords(traits) ? wordTokenCounter(counter, traits) : counter);
}
