import { readTokenizer, type LibraryTokenizer } from "../../../src/lib/model/library-token-counter.ts";

const WORDS = [
  "the",
  "token",
  "jet",
  "wing",
  "boundary",
  "layer",
  "flow",
  "in",
  "of",
  "12",
  "中",
  "文",
  ",",
  ".",
  "[",
  "]",
];

function pieces(): string[] {
  const letters = "abcdefghijklmnopqrstuvwxyz0123456789".split("");
  const suffixes = ["s", "ing", "ed", "er", "ly", "izer"];
  // "q" and "z" are missing on purpose, so that some words are unknown.
  const known = letters.filter((letter) => letter !== "q" && letter !== "z");
  return [...WORDS, ...known, ...known.map((letter) => `##${letter}`), ...suffixes.map((suffix) => `##${suffix}`)];
}

/** A small tokenizer.json of the BERT family, as UTF-8. */
export function smallTokenizerJson(preTokenizer = "BertPreTokenizer"): Uint8Array {
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
  const vocab = Object.fromEntries([...new Set([...special, ...pieces()])].map((piece, index) => [piece, index]));
  const file = {
    version: "1.0",
    added_tokens: special.map((content, id) => ({ id, content, special: true, normalized: false })),
    normalizer: {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    },
    pre_tokenizer: { type: preTokenizer },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece",
      unk_token: "[UNK]",
      continuing_subword_prefix: "##",
      max_input_chars_per_word: 20,
      vocab,
    },
  };
  return new TextEncoder().encode(JSON.stringify(file));
}

export function smallTokenizer(): LibraryTokenizer {
  const read = readTokenizer(smallTokenizerJson());
  if (!read.ok) throw new Error("the small tokenizer is well-formed");
  return read.value;
}
