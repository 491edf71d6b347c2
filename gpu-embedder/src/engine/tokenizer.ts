import { readFileSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { Tokenizer } from "@huggingface/tokenizers";
import { z } from "zod";
import { present } from "../base/assert.ts";
import { err, ok, type Result } from "../base/result.ts";
import { encodesByWord, WordEncoder } from "./word-encoder.ts";

const tokenizerFile = z.looseObject({
  model: z.looseObject({ type: z.string() }),
  normalizer: z.looseObject({ type: z.string(), lowercase: z.boolean().optional() }).nullish(),
});

/**
 * UTF-16 units tokenized in one go, about 2 ms: longer texts are cut at white space and the event loop gets its turn between.
 * A word is never cut, so the tokens are those of the whole text for every pre-tokenizer that splits at white space.
 */
const SLICE_LENGTH = 8_192;
/** UTF-16 units between two turns of the event loop, over several short texts. */
const TURN_LENGTH = 32_768;

export type TokenInfo = { readonly id: number; readonly text: string; readonly special: boolean };

/** The model's own tokenizer. Ids include the special tokens; nothing is truncated or padded. */
export type TextTokenizer = {
  encode(text: string): Promise<Int32Array<ArrayBuffer>>;
  /** Token ids that a client made itself: the special tokens are put round them where they are missing. */
  withSpecialTokens(ids: readonly number[]): Int32Array<ArrayBuffer>;
  describe(text: string, addSpecialTokens: boolean): readonly TokenInfo[];
  /** The text that token ids stand for, as near as the model's decoder gets. At least one id, each in the vocabulary. */
  decode(ids: readonly number[], skipSpecialTokens: boolean): string;
  /** Special tokens at the start and the end of every text. */
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
};

/** Cuts at the first blank, tab or line end at or after each multiple of SLICE_LENGTH. The parts joined are the text. */
function slices(text: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  const whiteSpace = /[ \t\n\r]/gu;
  while (text.length - start > SLICE_LENGTH) {
    whiteSpace.lastIndex = start + SLICE_LENGTH;
    const cut = whiteSpace.exec(text);
    if (cut === null) break;
    parts.push(text.slice(start, cut.index));
    start = cut.index;
  }
  parts.push(text.slice(start));
  return parts;
}

function tokenInfos(
  encoded: { readonly ids: readonly number[]; readonly tokens: readonly string[] },
  special: ReadonlySet<number>,
): readonly TokenInfo[] {
  return encoded.ids.map((id, index) => ({
    id,
    text: present(encoded.tokens[index], "each id has its token"),
    special: special.has(id),
  }));
}

type TokenizerError = { readonly code: "tokenizer_invalid"; readonly detail: string };

type ReadTokenizer = {
  readonly library: Tokenizer;
  readonly lowercases: boolean;
  /** Ids of a text without the special tokens at its ends. */
  readonly bareIds: (text: string) => readonly number[];
  /** The same, word by word, where the tokenizer allows it. */
  readonly words: WordEncoder | undefined;
};

function readTokenizer(path: string): Result<ReadTokenizer, TokenizerError> {
  try {
    const file = tokenizerFile.parse(JSON.parse(readFileSync(path, "utf8")));
    const library = new Tokenizer({ ...file, truncation: null, padding: null }, {});
    const bareIds = (text: string): readonly number[] => library.encode(text, { add_special_tokens: false }).ids;
    return ok({
      library,
      lowercases: file.normalizer?.lowercase === true,
      bareIds,
      words: encodesByWord(file) ? new WordEncoder(bareIds) : undefined,
    });
  } catch (cause) {
    return err({
      code: "tokenizer_invalid",
      detail: cause instanceof Error ? cause.message : "tokenizer could not be read",
    });
  }
}

/** The special tokens at the start and the end of every text. */
function specialTokensOf({ library, bareIds }: ReadTokenizer): Pick<TextTokenizer, "prefix" | "suffix"> {
  const bare = bareIds("a");
  const framed: readonly number[] = library.encode("a").ids;
  const start = framed.indexOf(present(bare[0], "a letter has a token"));
  return { prefix: framed.slice(0, start), suffix: framed.slice(start + bare.length) };
}

/** Reads a tokenizer.json. Its truncation and padding are left out: too long is the server's decision, padding is the batch's. */
export function loadTokenizer(path: string): Result<TextTokenizer, TokenizerError> {
  const read = readTokenizer(path);
  if (!read.ok) return read;
  const { library, lowercases, bareIds, words } = read.value;
  const { prefix, suffix } = specialTokensOf(read.value);
  const special = new Set<number>(library.get_added_tokens_decoder().keys());
  let sinceTurn = 0;

  /**
   * A lone surrogate has no UTF-8 form: it becomes U+FFFD, as in every other reader of the text. A capital sigma is lowered here:
   * JavaScript makes a final one of it at the end of a word, the reference implementation, on which the model was trained, never does.
   */
  function prepared(text: string): string {
    const wellFormed = text.toWellFormed();
    return lowercases ? wellFormed.replaceAll("\u03a3", "\u03c3") : wellFormed;
  }

  async function yieldAfter(length: number): Promise<void> {
    sinceTurn += length;
    if (sinceTurn < TURN_LENGTH) return;
    sinceTurn = 0;
    await setImmediate();
  }

  function frame(ids: readonly number[]): Int32Array<ArrayBuffer> {
    const framedIds = new Int32Array(prefix.length + ids.length + suffix.length);
    framedIds.set(prefix);
    framedIds.set(ids, prefix.length);
    framedIds.set(suffix, prefix.length + ids.length);
    return framedIds;
  }

  return ok({
    prefix,
    suffix,
    async encode(text) {
      const wellFormed = prepared(text);
      await yieldAfter(wellFormed.length);
      const ids: number[] = [];
      const parts = slices(wellFormed);
      for (const part of parts) {
        if (words !== undefined) words.encode(part, ids);
        else for (const id of bareIds(part)) ids.push(id);
        if (parts.length > 1) await yieldAfter(TURN_LENGTH);
      }
      return frame(ids);
    },
    withSpecialTokens(ids) {
      const hasFrame =
        prefix.every((id: number, index: number) => ids[index] === id) &&
        suffix.every((id: number, index: number) => ids[ids.length - suffix.length + index] === id);
      return hasFrame && ids.length >= prefix.length + suffix.length ? Int32Array.from(ids) : frame(ids);
    },
    decode(ids, skipSpecialTokens) {
      return library.decode([...ids], { skip_special_tokens: skipSpecialTokens });
    },
    describe(text, addSpecialTokens) {
      return tokenInfos(library.encode(prepared(text), { add_special_tokens: addSpecialTokens }), special);
    },
  });
}
