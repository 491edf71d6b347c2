import type { Result } from "../base/result.ts";

/** Why an embedding failed. `text_refused` is permanent and names the texts; the others are worth a retry. */
export type EmbedError =
  | { readonly code: "embedder_unavailable" | "embedder_timeout"; readonly cause?: unknown }
  | { readonly code: "embedder_overloaded"; readonly retryAfterSeconds: number }
  | { readonly code: "embedder_mismatch"; readonly fingerprint: string }
  | { readonly code: "text_refused"; readonly textIndexes: readonly number[]; readonly status: number };

/** Identity and limits of the model behind an embedding server. */
export interface EmbedderInfo {
  readonly fingerprint: string;
  readonly modelName: string;
  readonly revision: string;
  readonly dimensions: number;
  readonly maxInputTokens: number;
  /** What the model wants before each query and each document; empty for most. */
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  /** Hexadecimal; null where the server does not say. */
  readonly weightsSha256: string | null;
}

/** The embedding server as the rest of the system sees it. Vectors are unit length, in the order of the texts. */
export interface Embedder {
  info(): Promise<Result<EmbedderInfo, EmbedError>>;
  /** `lane` interactive overtakes bulk work. `fingerprint` is what the caller expects; another one is `embedder_mismatch`. */
  embed(
    texts: readonly string[],
    options: { readonly lane: "interactive" | "bulk"; readonly fingerprint: string },
  ): Promise<Result<readonly Float32Array[], EmbedError>>;
  /** The tokenizer.json of the model, as bytes. */
  tokenizer(): Promise<Result<Uint8Array<ArrayBuffer>, EmbedError>>;
}
