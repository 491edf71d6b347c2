import type { R2Bucket } from "@cloudflare/workers-types";
import { sha256Hex } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { EmbedError, Embedder, EmbedderInfo } from "../../embed/embedder.ts";
import { GOLDEN_SET } from "../../model/golden-texts.ts";
import { loadTokenCounter } from "../../model/load-token-counter.ts";
import { createObject, CREATE_OPTIONS } from "../../bucket/create-object.ts";
import { tokenizerKey } from "./model-source.ts";
import { storageUnavailable } from "../problem-of.ts";
import { embedGolden, goldenText } from "./embed-golden.ts";
import {
  fileEntry,
  type Golden,
  goldenSchema,
  jsonBytes,
  modelInfoOf,
  modelKeys,
  readPart,
  storePart,
} from "./model-artifacts.ts";

/**
 * Keeps what a model is in R2: its tokenizer, what its server says of it, its vectors of the golden texts, and a manifest of them. Each is written if it is
 * not there, so that twice means once; vectors that were kept stay, since those of now may have drifted. Errors: `conflict` where the fingerprint was
 * registered with another tokenizer or info.
 */
export async function storeModel(
  bucket: R2Bucket,
  embedder: Embedder,
  info: EmbedderInfo,
): Promise<Result<void, Problem>> {
  const { fingerprint } = info;
  const keys = modelKeys(fingerprint);
  const tokenizer = await embedder.tokenizer();
  if (!tokenizer.ok) return err(embedderProblem(tokenizer.error));
  const kept = await storeTokenizer(bucket, fingerprint, tokenizer.value);
  if (!kept.ok) return kept;
  const part = modelInfoOf(info);
  const described = await storePart(bucket, keys.info, part);
  if (!described.ok) return described;
  const golden = await storeGolden(bucket, embedder, fingerprint);
  if (!golden.ok) return golden;
  return storePart(bucket, keys.manifest, {
    version: 1,
    fingerprint,
    weights_sha256: info.weightsSha256,
    golden_set: GOLDEN_SET,
    files: await Promise.all([
      fileEntry(tokenizerKey(fingerprint), tokenizer.value),
      fileEntry(keys.info, jsonBytes(part)),
      fileEntry(keys.golden, jsonBytes(golden.value)),
    ]),
  });
}

/** The golden vectors that are kept: those of now if there were none. */
async function storeGolden(
  bucket: R2Bucket,
  embedder: Embedder,
  fingerprint: string,
): Promise<Result<Golden, Problem>> {
  const { golden: key } = modelKeys(fingerprint);
  const known = await readPart(bucket, key, goldenSchema);
  if (!known.ok) return known;
  if (known.value !== null) return ok(known.value);
  const vectors = await embedGolden(embedder, fingerprint);
  if (!vectors.ok) return err(embedderProblem(vectors.error));
  const golden: Golden = { version: 1, golden_set: GOLDEN_SET, fingerprint, vectors: vectors.value.map(goldenText) };
  const stored = await storePart(bucket, key, golden);
  if (stored.ok) return ok(golden);
  // Another registration was faster: its vectors are the ones that are kept.
  const first = await readPart(bucket, key, goldenSchema);
  return first.ok && first.value !== null ? ok(first.value) : stored;
}

async function storeTokenizer(
  bucket: R2Bucket,
  fingerprint: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Result<void, Problem>> {
  if (!loadTokenCounter(bytes).ok)
    return err({ code: "embedder_mismatch", detail: "the server's tokenizer.json cannot be read" });
  const contentHash = await sha256Hex(bytes);
  const object = { key: tokenizerKey(fingerprint), bytes, contentHash, metadata: {}, mediaType: "application/json" };
  const created = await createObject(bucket, object, CREATE_OPTIONS);
  if (created.ok) return ok(undefined);
  return err(
    created.error.code === "object_differs"
      ? { code: "conflict", detail: "this fingerprint was registered with another tokenizer" }
      : storageUnavailable(),
  );
}

/** A failure of the embedding server as a client may know it. */
export function embedderProblem(error: EmbedError): Problem {
  return error.code === "embedder_mismatch"
    ? { code: "embedder_mismatch" }
    : { code: "embedder_unavailable", retryAfterSeconds: 5 };
}
