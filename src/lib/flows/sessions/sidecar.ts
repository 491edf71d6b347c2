/** What is known of a segment beside its bytes: an object next to it, written once. docs/FORMATS.md has the table. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { utf8Bytes } from "../../base/bytes.ts";
import { sha256HexSync } from "../../base/hash.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { listObjects } from "../../bucket/list-objects.ts";
import { fromBase64Url, toBase64Url } from "../../pii/base64url.ts";
import { summaryKey, summaryPrefix } from "../../session/session-keys.ts";
import type { SessionIdentity } from "../../session/session-log-api.ts";
import type { SummarySentence } from "../../summarise/summarise-sentences.ts";
import { createObject, CREATE_OPTIONS } from "../../bucket/create-object.ts";

const sentenceSchema = z.strictObject({
  seq: z.int().min(1),
  at_ms: z.int(),
  speaker: z.string(),
  text: z.string(),
  weight: z.number().min(0),
  /** float32 values, little-endian, base64url. */
  vector: z.string(),
});

const summarySchema = z.strictObject({
  method: z.enum(["extractive", "endpoint"]),
  text: z.string(),
  /** Seqs of the events whose sentences it holds or, by an endpoint, was made from most. */
  members: z.array(z.int().min(1)),
  sentences: z.array(sentenceSchema),
});
export type StoredSummary = z.infer<typeof summarySchema>;

export const sidecarSchema = z.strictObject({
  version: z.literal(1),
  artifact_id: z.string(),
  first_seq: z.int().min(1),
  last_seq: z.int().min(1),
  event_count: z.int().min(0),
  /** Model of the vectors. */
  fingerprint: z.string(),
  title: z.string(),
  /** Null where the segment holds nothing that was said. */
  description: z.string().nullable(),
  segment: summarySchema,
  session: z.strictObject({
    /** Seq from which on the roll-up knows the session: 1, unless segments before were missing. */
    first_seq: z.int().min(1),
    segment_count: z.int().min(1),
    summary: summarySchema,
    /** Messages so far, and in how many of them the most frequent words occur. */
    message_count: z.int().min(0),
    terms: z.array(z.tuple([z.string(), z.int().min(1)])),
  }),
});
export type Sidecar = z.infer<typeof sidecarSchema>;

type StoredSentence = z.infer<typeof sentenceSchema>;

export function storedSentence({ atMs, vector, ...rest }: SummarySentence): StoredSentence {
  const bytes = new Uint8Array(vector.length * Float32Array.BYTES_PER_ELEMENT);
  const view = new DataView(bytes.buffer);
  vector.forEach((value, index) => view.setFloat32(index * Float32Array.BYTES_PER_ELEMENT, value, true));
  return { ...rest, at_ms: atMs, vector: toBase64Url(bytes) };
}

export function loadedSentence({ at_ms: atMs, vector, ...rest }: StoredSentence): SummarySentence {
  const bytes = fromBase64Url(vector) ?? new Uint8Array(0);
  const view = new DataView(bytes.buffer);
  const length = Math.floor(bytes.length / Float32Array.BYTES_PER_ELEMENT);
  const read = (_: unknown, index: number): number => view.getFloat32(index * Float32Array.BYTES_PER_ELEMENT, true);
  return { ...rest, atMs, vector: Float32Array.from({ length }, read) };
}

export type SidecarError = { readonly code: "storage_unavailable" | "sidecar_malformed" };

/** Bytes of a sidecar that is read: 36 sentences with vectors of 4,000 numbers, their texts, 500 words. */
const SIDECAR_BYTES_MAX = 2 * 1024 * 1024;

async function readSidecar(bucket: R2Bucket, key: string): Promise<Result<Sidecar | undefined, SidecarError>> {
  try {
    const object = await bucket.get(key);
    if (object === null) return ok(undefined);
    if (object.size > SIDECAR_BYTES_MAX) return err({ code: "sidecar_malformed" });
    const parsed = sidecarSchema.safeParse(await object.json().catch(() => undefined));
    return parsed.success ? ok(parsed.data) : err({ code: "sidecar_malformed" });
  } catch {
    return err({ code: "storage_unavailable" });
  }
}

/** The sidecar of the segment that begins with `firstSeq`, if there is one. */
export function sidecarOf(
  bucket: R2Bucket,
  session: SessionIdentity,
  firstSeq: number,
): Promise<Result<Sidecar | undefined, SidecarError>> {
  return readSidecar(bucket, summaryKey(session, firstSeq));
}

/** Pages of a thousand keys: a session that seals a segment every ten minutes takes 19 years to fill them. */
const KEY_PAGES_MAX = 1_000;

/** The last sidecar before `firstSeq`, if there is one. */
export async function sidecarBefore(
  bucket: R2Bucket,
  session: SessionIdentity,
  firstSeq: number,
): Promise<Result<Sidecar | undefined, SidecarError>> {
  const own = summaryKey(session, firstSeq);
  let last: string | undefined;
  try {
    for await (const { key } of listObjects(bucket, { prefix: summaryPrefix(session), pagesMax: KEY_PAGES_MAX })) {
      if (key >= own) break;
      last = key;
    }
  } catch {
    return err({ code: "storage_unavailable" });
  }
  return last === undefined ? ok(undefined) : readSidecar(bucket, last);
}

/** Writes the sidecar once. Where another one lies, made by a run that got this far, that one holds: returned is what lies there. */
export async function storeSidecar(
  bucket: R2Bucket,
  session: SessionIdentity,
  sidecar: Sidecar,
): Promise<Result<Sidecar, SidecarError>> {
  const json = JSON.stringify(sidecar);
  const object = {
    key: summaryKey(session, sidecar.first_seq),
    bytes: utf8Bytes(json),
    contentHash: sha256HexSync(json),
    metadata: {},
    mediaType: "application/json",
  };
  const created = await createObject(bucket, object, CREATE_OPTIONS);
  if (created.ok) return ok(sidecar);
  if (created.error.code !== "object_differs") return err({ code: "storage_unavailable" });
  const there = await sidecarOf(bucket, session, sidecar.first_seq);
  if (!there.ok) return there;
  return there.value === undefined ? err({ code: "storage_unavailable" }) : ok(there.value);
}
