import type { TextCoder } from "../../artifact/columns/column-context.ts";
import { WordCode } from "../../artifact/columns/word-code.ts";
import { withWords, wordsBytes, WORDS_PLACE_BYTES } from "../../artifact/dictionary-words.ts";
import type { EncodedBlock } from "../../artifact/encoded-block.ts";
import { WordCounter } from "../../artifact/learn-words.ts";
import { PACK_LIMITS } from "../../artifact/pack-limits.ts";
import { recodeBlock } from "../../artifact/recode-block.ts";
import { assert } from "../../base/assert.ts";
import { err, type Result } from "../../base/result.ts";
import type { TrainingError } from "../../zstd/train-dictionary.ts";
import type { ZstdDictionary } from "../../zstd/zstd-dictionary.ts";

/** zstd's trainer. */
export type Trainer = (
  samples: readonly Uint8Array[],
  options: { readonly bytesMax: number; readonly level: number },
) => Promise<Result<ZstdDictionary, TrainingError>>;

/** Share of a dictionary that its words may have: beyond a third, they save less than what zstd finds in the same room. */
const WORDS_SHARE = 1 / 3;

/**
 * A dictionary of at most `bytesMax` bytes with words, of blocks that were encoded without any: the words that save most in these, then what zstd's trainer
 * chooses from the blocks in those words.
 */
export async function trainWithWords(
  blocks: readonly EncodedBlock[],
  trainer: Trainer,
  { bytesMax, level }: { readonly bytesMax: number; readonly level: number },
): Promise<Result<ZstdDictionary, TrainingError>> {
  const counter = new WordCounter();
  inWords(blocks, counter);
  const words = counter.words(Math.floor(bytesMax * WORDS_SHARE));
  const placeBytes = wordsBytes(words).length + WORDS_PLACE_BYTES;
  const samples = inWords(blocks, new WordCode(words)).map(({ content }) => content);
  const trained = await trainer(samples, { bytesMax: bytesMax - placeBytes, level });
  if (!trained.ok) return trained;
  const dictionary = withWords(trained.value, words);
  return dictionary.ok ? dictionary : err({ code: "training_failed" });
}

/** Blocks that were encoded without words, in those of a dictionary. */
export function inWords(blocks: readonly EncodedBlock[], to: TextCoder | null): readonly EncodedBlock[] {
  return blocks.map((block) => {
    const recoded = recodeBlock(block, PACK_LIMITS, { from: null, to });
    assert(recoded.ok, "a block that was encoded can be decoded");
    return recoded.value;
  });
}
