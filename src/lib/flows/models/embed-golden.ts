import { ok, type Result } from "../../base/result.ts";
import type { EmbedError, Embedder } from "../../embed/embedder.ts";
import { decodeVector } from "../../embed/embed-wire.ts";
import { GOLDEN_TEXTS } from "../../model/golden-texts.ts";

/**
 * Vectors of the golden texts, each text by itself and in the lane of queries: where activations are quantized for each batch, a vector would also tell of
 * its neighbours.
 */
export async function embedGolden(
  embedder: Embedder,
  fingerprint: string,
): Promise<Result<readonly Float32Array[], EmbedError>> {
  const vectors: Float32Array[] = [];
  for (const text of GOLDEN_TEXTS) {
    const reply = await embedder.embed([text], { lane: "interactive", fingerprint });
    if (!reply.ok) return reply;
    vectors.push(...reply.value);
  }
  return ok(vectors);
}

export function goldenText(vector: Float32Array): string {
  return Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");
}

/** Vectors of their texts; null where one is malformed. */
export function goldenVectors(texts: readonly string[]): readonly Float32Array[] | null {
  const vectors = texts.map(decodeVector);
  return vectors.every((vector) => vector.ok) ? vectors.flatMap((vector) => (vector.ok ? [vector.value] : [])) : null;
}
