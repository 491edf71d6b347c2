import { createHash } from "node:crypto";
import type { EmbedError, Embedder, EmbedderInfo } from "../../../src/lib/embed/embedder.ts";
import { err, ok, type Result } from "../../../src/lib/base/result.ts";

export const HASH_FINGERPRINT = "test:hash@1";
export const HASH_DIMENSIONS = 8;

/** The model as the registry has it. */
export const HASH_MODEL = {
  fingerprint: HASH_FINGERPRINT,
  modelName: "hash",
  revision: "1",
  dimensions: HASH_DIMENSIONS,
  maxInputTokens: 64,
  queryPrefix: "",
  documentPrefix: "",
};

const HASH_INFO: EmbedderInfo = { ...HASH_MODEL, weightsSha256: null };

/** A deterministic embedder: the same text gives the same unit vector. Counts its work and can be told what to refuse. */
export class HashEmbedder implements Embedder {
  readonly embeddedTexts: string[] = [];
  /** Fails every call while set. */
  outage: EmbedError | undefined;
  /** Texts that hold this are refused, as a server refuses what it cannot embed. */
  poison = "POISON";
  served: EmbedderInfo;
  readonly #tokenizerJson: Uint8Array | undefined;

  constructor(served: Partial<EmbedderInfo> = {}, tokenizerJson?: Uint8Array) {
    this.served = { ...HASH_INFO, ...served };
    this.#tokenizerJson = tokenizerJson;
  }

  async info(): ReturnType<Embedder["info"]> {
    return this.outage === undefined ? ok(this.served) : err(this.outage);
  }

  async embed(
    texts: readonly string[],
    options: { readonly lane: "interactive" | "bulk"; readonly fingerprint: string },
  ): Promise<Result<readonly Float32Array[], EmbedError>> {
    if (this.outage !== undefined) return err(this.outage);
    const { fingerprint, dimensions } = this.served;
    if (options.fingerprint !== fingerprint) return err({ code: "embedder_mismatch", fingerprint });
    if (texts.some((text) => text.includes(this.poison)))
      return err({ code: "text_refused", textIndexes: [], status: 413 });
    this.embeddedTexts.push(...texts);
    return ok(
      texts.map((text) => hashVector(fingerprint === HASH_FINGERPRINT ? text : `${fingerprint} ${text}`, dimensions)),
    );
  }

  async tokenizer(): ReturnType<Embedder["tokenizer"]> {
    return this.#tokenizerJson === undefined
      ? err({ code: "embedder_unavailable" })
      : ok(new Uint8Array(this.#tokenizerJson));
  }
}

/** Of at most 16 dimensions. */
function hashVector(text: string, dimensions: number): Float32Array {
  const digest = createHash("sha256").update(text).digest();
  const view = new DataView(digest.buffer, digest.byteOffset);
  const vector = Float32Array.from({ length: dimensions }, (_, index) => view.getInt16(index * 2, true));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
