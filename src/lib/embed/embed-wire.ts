import { z } from "zod";
import { err, ok, type Result } from "../base/result.ts";

/** `POST /v1/embeddings` with `encoding_format: base64`: little-endian float32 bytes. */
export const embeddingsReplySchema = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.string() })),
});

/** Longest prefix taken from a server, characters: known models have a word or a sentence. */
const PREFIX_CHARACTERS_MAX = 1_000;

/** `GET /info`: our server's fields, with text-embeddings-inference's as the fallback. */
export const infoReplySchema = z
  .object({
    model_id: z.string(),
    model_sha: z.string().nullish(),
    revision: z.string().nullish(),
    fingerprint: z.string().optional(),
    dimensions: z.int().positive().optional(),
    max_input_length: z.int().positive(),
    weights_sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    query_prefix: z.string().max(PREFIX_CHARACTERS_MAX).optional(),
    document_prefix: z.string().max(PREFIX_CHARACTERS_MAX).optional(),
  })
  .loose();

/** Dimensions of the largest vector we accept: pgvector's limit for an indexed halfvec. */
const DIMENSIONS_MAX = 4000;

/** Vector of a base64 reply. Errors: not whole float32 values, too many of them, or one that is not finite. */
export function decodeVector(base64: string): Result<Float32Array, "vector_malformed"> {
  const bytes = Buffer.from(base64, "base64");
  const dimensions = bytes.length / Float32Array.BYTES_PER_ELEMENT;
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > DIMENSIONS_MAX) return err("vector_malformed");
  const vector = new Float32Array(dimensions);
  for (let index = 0; index < dimensions; index += 1) {
    const value = bytes.readFloatLE(index * Float32Array.BYTES_PER_ELEMENT);
    if (!Number.isFinite(value)) return err("vector_malformed");
    vector[index] = value;
  }
  return ok(vector);
}
