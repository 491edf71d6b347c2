import { createHash } from "node:crypto";
import type { EmbedError, Embedder } from "../../../src/lib/embed/embedder.ts";
import { err, ok, type Result } from "../../../src/lib/base/result.ts";

export const HASH_FINGERPRINT = "test:hash@1";
export const HASH_DIMENSIONS = 8;

/** A deterministic embedder: the same text gives the same unit vector. Counts its work and can be told what to refuse. */
export class HashEmbedder implements Embedder {
  readonly embeddedTexts: string[] = [];
  /** Fails every call while set. */
  outage: EmbedError | undefined;
  /** Texts that hold this are refused, as a server refuses what it cannot embed. */
  poison = "POISON";

  async info(): ReturnType<Embedder["info"]> {
    return ok({
      fingerprint: HASH_FINGERPRINT,
      modelName: "hash",
      revision: "1",
      dimensions: HASH_DIMENSIONS,
      maxInputTokens: 64,
      queryPrefix: "",
      documentPrefix: "",
    });
  }

  async embed(
    texts: readonly string[],
    options: { readonly lane: "interactive" | "bulk"; readonly fingerprint: string },
  ): Promise<Result<readonly Float32Array[], EmbedError>> {
    if (this.outage !== undefined) return err(this.outage);
    if (options.fingerprint !== HASH_FINGERPRINT)
      return err({ code: "embedder_mismatch", fingerprint: HASH_FINGERPRINT });
    if (texts.some((text) => text.includes(this.poison)))
      return err({ code: "text_refused", textIndexes: [], status: 413 });
    this.embeddedTexts.push(...texts);
    return ok(texts.map(hashVector));
  }

  async tokenizer(): ReturnType<Embedder["tokenizer"]> {
    return err({ code: "embedder_unavailable" });
  }
}

function hashVector(text: string): Float32Array {
  const digest = createHash("sha256").update(text).digest();
  const view = new DataView(digest.buffer, digest.byteOffset);
  const vector = Float32Array.from({ length: HASH_DIMENSIONS }, (_, index) => view.getInt16(index * 2, true));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
