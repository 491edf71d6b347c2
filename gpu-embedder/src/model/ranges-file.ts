import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";
import type { ActivationRange, ActivationRanges } from "../graph/activation-ranges.ts";

/** In the model's folder; `npm run calibrate` writes it. */
export const RANGES_NAME = "activation_ranges.json";
/** Of the default model, so that nobody has to measure them. */
const KNOWN_PATH = fileURLToPath(new URL("known-ranges/all-MiniLM-L6-v2.json", import.meta.url));
/** Encoder layers: the largest published BERT encoders have 24. */
const LAYERS_MAX = 256;
/** Characters of the ranges' hash in the name of a built graph. */
const KEY_LENGTH = 8;

const rangeSchema = z.tuple([z.number(), z.number()]).refine(([least, greatest]) => least <= greatest, "is no range");
const layerSchema = z.strictObject({
  query_key_value: rangeSchema,
  attention_output: rangeSchema,
  intermediate: rangeSchema,
  output: rangeSchema,
});
const fileSchema = z.strictObject({
  weights_sha256: z.string().regex(/^[0-9a-f]{64}$/u),
  /** Texts that were looked at. */
  texts: z.int().positive(),
  layers: z.array(layerSchema).min(1).max(LAYERS_MAX),
});
type RangesFile = z.infer<typeof fileSchema>;

export type RangesError = { readonly code: "ranges_invalid"; readonly detail: string };

function readFile(path: string): Result<RangesFile, RangesError> {
  try {
    return ok(fileSchema.parse(JSON.parse(readFileSync(path, "utf8"))));
  } catch (cause) {
    const issue = cause instanceof z.ZodError ? cause.issues[0] : undefined;
    const detail = issue === undefined ? "no JSON can be read" : `${issue.path.join(".")}: ${issue.message}`;
    return err({ code: "ranges_invalid", detail: `${path}: ${detail}` });
  }
}

function rangesOf({ layers }: RangesFile): ActivationRanges {
  return layers.map((layer) => ({
    queryKeyValue: layer.query_key_value,
    attentionOutput: layer.attention_output,
    intermediate: layer.intermediate,
    output: layer.output,
  }));
}

/** The model whose ranges are asked for. */
type RangesOwner = { readonly folder: string; readonly weightsSha256: string; readonly layerCount: number };

/**
 * Activation ranges of a model: those of its folder, else those known for the default model's weights, else none.
 * Errors: `ranges_invalid` for a file in the folder that is malformed, of other weights or of another number of layers.
 */
export function readRanges(owner: RangesOwner): Result<ActivationRanges | undefined, RangesError> {
  const path = join(owner.folder, RANGES_NAME);
  const isGiven = existsSync(path);
  const file = readFile(isGiven ? path : KNOWN_PATH);
  if (!file.ok) return file;
  const { weights_sha256: weightsSha256, layers } = file.value;
  if (weightsSha256 === owner.weightsSha256 && layers.length === owner.layerCount) return ok(rangesOf(file.value));
  if (!isGiven) return ok(undefined);
  const detail = `${path} is of other weights: measure them anew with npm run calibrate`;
  return err({ code: "ranges_invalid", detail });
}

/** Digits kept of a measured bound: a step of 1/255 of the range needs no more. */
const DECIMALS = 3;

/** The file for measured ranges; bounds are rounded outwards. */
export function rangesFileOf(ranges: ActivationRanges, weightsSha256: string, texts: number): string {
  const unit = 10 ** DECIMALS;
  const round = ([least, greatest]: ActivationRange): [number, number] => [
    Math.floor(least * unit) / unit,
    Math.ceil(greatest * unit) / unit,
  ];
  const file: RangesFile = {
    weights_sha256: weightsSha256,
    texts,
    layers: ranges.map((layer) => ({
      query_key_value: round(layer.queryKeyValue),
      attention_output: round(layer.attentionOutput),
      intermediate: round(layer.intermediate),
      output: round(layer.output),
    })),
  };
  return `${JSON.stringify(file, undefined, 1)}\n`;
}

/** Names a model's ranges in the graph's file name and in the fingerprint. */
export function rangesKeyOf(ranges: ActivationRanges): string {
  return createHash("sha256").update(JSON.stringify(ranges)).digest("hex").slice(0, KEY_LENGTH);
}
