import { Tokenizer } from "@huggingface/tokenizers";
import { assert } from "../base/assert.ts";
import { utf8Text } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { TokenCounter } from "./token-counter.ts";

/** UTF-8 bytes of a tokenizer.json: the largest of today's embedding models (250 thousand pieces) has 17 MB. */
const TOKENIZER_BYTES_MAX = 24 * 1024 * 1024;

/** What of a tokenizer.json decides whether its counts may be memoised word by word. */
export interface TokenizerTraits {
  readonly normalizerType: string;
  readonly preTokenizerType: string;
  readonly modelType: string;
  readonly addedTokens: readonly string[];
  readonly lowercase: boolean;
  /** Whether each ideograph of the basic plane is a word of its own. */
  readonly separatesIdeographs: boolean;
  readonly continuingPrefix: string;
  /** Characters of a word; longer ones become one unknown token. */
  readonly wordLengthMax: number;
  readonly hasPiece: (piece: string) => boolean;
}

export interface LibraryTokenizer {
  readonly counter: TokenCounter;
  readonly traits: TokenizerTraits;
}

export interface TokenizerError {
  readonly code: "tokenizer_too_large" | "tokenizer_invalid";
}

function typeOf(part: unknown): string {
  return typeof part === "object" && part !== null && "type" in part && typeof part.type === "string" ? part.type : "";
}

function addedTokensOf(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((token: unknown) =>
    typeof token === "object" && token !== null && "content" in token && typeof token.content === "string"
      ? [token.content]
      : [],
  );
}

function valueAt(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null ? Reflect.get(object, name) : undefined;
}

function traitsOf(file: object, tokenizer: Tokenizer): TokenizerTraits {
  const model = valueAt(file, "model");
  const normalizer = valueAt(file, "normalizer");
  const prefix = valueAt(model, "continuing_subword_prefix");
  const wordLengthMax = valueAt(model, "max_input_chars_per_word");
  return {
    normalizerType: typeOf(normalizer),
    preTokenizerType: typeOf(valueAt(file, "pre_tokenizer")),
    modelType: typeOf(model),
    addedTokens: addedTokensOf(valueAt(file, "added_tokens")),
    lowercase: valueAt(normalizer, "lowercase") === true,
    separatesIdeographs: valueAt(normalizer, "handle_chinese_chars") === true,
    continuingPrefix: typeof prefix === "string" ? prefix : "##",
    wordLengthMax: typeof wordLengthMax === "number" ? wordLengthMax : 100,
    hasPiece: (piece) => tokenizer.token_to_id(piece) !== undefined,
  };
}

/** Reads a Hugging Face tokenizer.json. The only door to the tokenizer library; its counts are the truth that others are measured by. */
export function readTokenizer(tokenizerJson: Uint8Array): Result<LibraryTokenizer, TokenizerError> {
  if (tokenizerJson.length > TOKENIZER_BYTES_MAX) return err({ code: "tokenizer_too_large" });
  const text = utf8Text(tokenizerJson);
  if (text === undefined) return err({ code: "tokenizer_invalid" });
  try {
    const file: unknown = JSON.parse(text);
    if (typeof file !== "object" || file === null) return err({ code: "tokenizer_invalid" });
    const tokenizer = new Tokenizer(file, {});
    const count = (input: string): number => {
      const tokenCount = tokenizer.encode(input, { add_special_tokens: false }).ids.length;
      assert(tokenCount >= 0, "a token count is not negative");
      return tokenCount;
    };
    count("probe");
    return ok({ counter: { count }, traits: traitsOf(file, tokenizer) });
  } catch {
    return err({ code: "tokenizer_invalid" });
  }
}
