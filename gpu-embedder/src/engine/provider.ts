import type { Precision } from "../graph/graph-context.ts";

/** Where ONNX Runtime computes. */
export type Provider = "cuda" | "cpu";

/** How work is cut for a provider. */
export type ProviderTuning = {
  /** Arithmetic that suits it: int8 products fall back to the CPU under CUDA, and fp16 is computed in fp32 on a CPU. */
  readonly precision: Precision;
  /** Padded tokens of one batch. */
  readonly batchTokensMax: number;
  /** Texts of one batch. */
  readonly batchTextsMax: number;
  /** Batches are padded to a multiple of this many tokens: few shapes, so that the device's memory pool stays small. */
  readonly sequenceMultiple: number;
  /** Padding that a text may add to a batch, as a share of it. */
  readonly paddingShareMax: number;
  /** Padding of a batch that costs less than a further run of the model. */
  readonly paddingTokensFree: number;
  /** Tokens of a batch without padding that are enough for texts of other lengths to stay out of it. */
  readonly unpaddedTokensEnough: number;
  /** Tokens that may wait in a lane before requests are refused. */
  readonly queueTokensMax: number;
};

/**
 * CPU: small batches stay in the caches, 384 to 512 tokens gave the most tokens/s on 2 cores in int8 (768: 2 to 5 % fewer). On mixed lengths a share of
 * 0.05 leaves 4 % padding, 0.06 5 %, for batches that are 7 % smaller. The queue holds about 20 s of work.
 *
 * CUDA, on an H100 with `bench/device-sweep.ts`: 16,384 tokens gave 94 to 99 % of what any larger batch gives, 4,096 68 to 77 %. A run costs a millisecond
 * however small its batch: 2,048 tokens of padding are cheaper than one more. Tensor cores and attention kernels work on multiples of 8. The queue holds one or two
 * seconds of work, 14 of the largest requests.
 */
export const PROVIDER_TUNING: Readonly<Record<Provider, ProviderTuning>> = {
  cpu: {
    precision: "int8",
    batchTokensMax: 512,
    batchTextsMax: 64,
    sequenceMultiple: 1,
    paddingShareMax: 0.05,
    paddingTokensFree: 16,
    unpaddedTokensEnough: 160,
    queueTokensMax: 262_144,
  },
  cuda: {
    precision: "fp16",
    batchTokensMax: 16_384,
    batchTextsMax: 1_024,
    sequenceMultiple: 8,
    paddingShareMax: 0.1,
    paddingTokensFree: 2_048,
    unpaddedTokensEnough: 16_384,
    queueTokensMax: 4_194_304,
  },
};
