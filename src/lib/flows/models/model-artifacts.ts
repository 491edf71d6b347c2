/** What R2 keeps of a model, under `models/<fingerprint>/`. Written once; docs/FORMATS.md has the forms. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { sha256Hex, utf8Bytes } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { EmbedderInfo } from "../../embed/embedder.ts";
import { GOLDEN_SET } from "../../model/golden-texts.ts";
import { createObject, CREATE_OPTIONS } from "../../bucket/create-object.ts";
import { storageUnavailable } from "../problem-of.ts";

/** Bytes of one of these objects: sixteen vectors of 4,000 dimensions in base64 have 350 KB. */
const OBJECT_BYTES_MAX = 1024 * 1024;

/** What the server said of the model when it was registered. */
export const modelInfoSchema = z.object({
  version: z.literal(1),
  fingerprint: z.string(),
  model_name: z.string(),
  revision: z.string(),
  dimensions: z.int(),
  max_input_tokens: z.int(),
  query_prefix: z.string(),
  document_prefix: z.string(),
  weights_sha256: z.string().nullable(),
});
export type ModelInfo = z.infer<typeof modelInfoSchema>;

export function modelInfoOf(info: EmbedderInfo): ModelInfo {
  return {
    version: 1,
    fingerprint: info.fingerprint,
    model_name: info.modelName,
    revision: info.revision,
    dimensions: info.dimensions,
    max_input_tokens: info.maxInputTokens,
    query_prefix: info.queryPrefix,
    document_prefix: info.documentPrefix,
    weights_sha256: info.weightsSha256,
  };
}

/** Vectors of the golden texts as the model gave them when it was registered: float32 little-endian in base64. */
export const goldenSchema = z.object({
  version: z.literal(1),
  golden_set: z.string(),
  fingerprint: z.string(),
  vectors: z.array(z.string()),
});
export type Golden = z.infer<typeof goldenSchema>;

/** The parts with their hashes. It is written last: a model with a manifest is complete. */
export const manifestSchema = z.object({
  version: z.literal(1),
  fingerprint: z.string(),
  weights_sha256: z.string().nullable(),
  golden_set: z.string(),
  files: z.array(z.object({ name: z.string(), sha256: z.string(), size_bytes: z.int() })),
});
export type ModelManifest = z.infer<typeof manifestSchema>;

const prefixOf = (fingerprint: string): string => `models/${encodeURIComponent(fingerprint)}/`;

/** R2 keys of a model's parts. */
export const modelKeys = (fingerprint: string) => ({
  info: `${prefixOf(fingerprint)}info.json`,
  golden: `${prefixOf(fingerprint)}${GOLDEN_SET}.json`,
  manifest: `${prefixOf(fingerprint)}manifest.json`,
});

/** Writes a part if it is not there. Errors: `conflict` where another one is, `storage_unavailable`. */
export async function storePart(bucket: R2Bucket, key: string, part: unknown): Promise<Result<void, Problem>> {
  const bytes = jsonBytes(part);
  const object = { key, bytes, contentHash: await sha256Hex(bytes), metadata: {}, mediaType: "application/json" };
  const created = await createObject(bucket, object, CREATE_OPTIONS);
  if (created.ok) return ok(undefined);
  return err(
    created.error.code === "object_differs"
      ? { code: "conflict", detail: `${key} was written with another content` }
      : storageUnavailable(),
  );
}

/** A part as it lies in R2, null where there is none. Errors: `storage_unavailable`; `internal` where it cannot be read. */
export async function readPart<T>(
  bucket: R2Bucket,
  key: string,
  schema: z.ZodType<T>,
): Promise<Result<T | null, Problem>> {
  try {
    const object = await bucket.get(key);
    if (object === null) return ok(null);
    if (object.size > OBJECT_BYTES_MAX) return err({ code: "internal", detail: `${key} is too large` });
    const parsed = schema.safeParse(await object.json());
    return parsed.success ? ok(parsed.data) : err({ code: "internal", detail: `${key} is damaged` });
  } catch {
    return err(storageUnavailable());
  }
}

/** Name, hash and size of a part as `storePart` writes it. */
export async function fileEntry(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<ModelManifest["files"][number]> {
  return { name: key.slice(key.lastIndexOf("/") + 1), sha256: await sha256Hex(bytes), size_bytes: bytes.length };
}

export function jsonBytes(part: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(utf8Bytes(`${JSON.stringify(part)}\n`));
}
