import { createHash } from "node:crypto";

/** Everything that decides what a text's vector is. */
export type FingerprintParts = {
  readonly model_id: string;
  readonly revision: string;
  readonly weights_sha256: string;
  readonly tokenizer_sha256: string;
  readonly pooling: string;
  readonly normalized: boolean;
  readonly dimensions: number;
  readonly precision: string;
  /** Of an int8 graph whose activation ranges are constants: their name. */
  readonly activation_ranges?: string;
};

/**
 * The identity of the vectors: SHA-256 over the parts in alphabetical order, as 64 hexadecimal characters. Two servers with one fingerprint give
 * vectors that may be compared.
 */
export function fingerprintOf(parts: FingerprintParts): string {
  const ordered = Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(ordered)).digest("hex");
}
