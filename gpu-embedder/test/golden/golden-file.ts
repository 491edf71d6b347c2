import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

/** Little-endian float32 in base64, as `make_golden.py` writes it. */
const vector = z.base64().transform((text) => {
  const bytes = Uint8Array.from(Buffer.from(text, "base64"));
  return new Float32Array(bytes.buffer);
});

const goldenFile = z.object({
  provenance: z.object({ sha256: z.record(z.string(), z.string()) }),
  dimensions: z.int(),
  input_tokens_max: z.int(),
  prompts: z.object({ query: z.string(), document: z.string() }).optional(),
  cases: z.array(
    z.object({
      text: z.string(),
      /** With the special tokens, cut to `input_tokens_max`. */
      tokens: z.array(z.int()),
      vector,
      query_vector: vector.optional(),
      document_vector: vector.optional(),
    }),
  ),
});
export type GoldenFile = z.infer<typeof goldenFile>;

/** What sentence-transformers gave for a model; `make_golden.py` beside it made the file. */
export function readGolden(name: "all-minilm-l6-v2" | "tiny-cls"): GoldenFile {
  return goldenFile.parse(JSON.parse(readFileSync(join(import.meta.dirname, `${name}.json`), "utf8")));
}
