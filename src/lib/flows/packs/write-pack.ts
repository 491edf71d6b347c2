/** One pack from its first record to its place in the registry: written, read back, held against what was given. */
import { createHash } from "node:crypto";
import type { R2Bucket } from "@cloudflare/workers-types";
import { PACK_LIMITS } from "../../artifact/pack-limits.ts";
import type { PackHead, PackVectors } from "../../artifact/pack-footer.ts";
import { packKey } from "../../artifact/pack-key.ts";
import { PackWriter } from "../../artifact/pack-writer.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { PackRow } from "../../db/queries/packs.ts";
import type { ZstdDictionary } from "../../zstd/zstd-dictionary.ts";
import type { PackContext, PackFailure } from "./context.ts";
import { PACK_DERIVATIONS } from "./derivations.ts";
import { openTenantPack } from "./open-tenant-pack.ts";
import { PackUpload } from "./pack-upload.ts";
import { RecordsDigest } from "./records-digest.ts";

export interface NewPack {
  readonly head: PackHead;
  readonly dictionary: ZstdDictionary | null;
  readonly vectors: PackVectors | null;
}

/** A pack that lies in R2 and has shown that it holds what it was given. Nobody knows of it yet. */
export interface WrittenPack {
  readonly row: PackRow;
}

/** Bytes of one read while a whole object is hashed. */
const READ_BYTES = 1024 * 1024;

/**
 * Writes what `fill` adds, and reads it back: its bytes have the hash that they were sent with, and its records are those that `fill` says it added. What is
 * found to be different is deleted.
 */
export async function writePack(
  context: PackContext,
  { head, dictionary, vectors }: NewPack,
  fill: (writer: PackWriter) => Promise<Result<{ readonly recordsDigest: string }, PackFailure>>,
): Promise<Result<WrittenPack, PackFailure>> {
  const tenantId = head.tenant_id;
  const sink = new PackUpload(context.bucket, { tenantId, uploadId: context.newUlid() });
  const zstd = await context.loadZstd();
  const options = { zstd, dictionary, head, vectors, derivations: PACK_DERIVATIONS, limits: PACK_LIMITS, sink };
  try {
    const writer = new PackWriter(options);
    const filled = await fill(writer);
    if (!filled.ok) return filled;
    const summary = await writer.finish();
    if (!summary.ok) return err({ code: summary.error.code });
    const { recordCount, sizeBytes, sha256 } = summary.value;
    const key = packKey({ tenantId, createdAtMs: head.created_at_ms, recordCount, sha256 });
    await sink.finish(key);
    const isSound = await isAsWritten(context, { tenantId, key, sizeBytes, sha256, ...filled.value });
    if (!isSound) {
      await context.bucket.delete(key);
      return err({ code: "pack_differs" });
    }
    const row = {
      artifactId: artifactIdOf(key),
      objectKey: key,
      sizeBytes,
      sha256Hex: sha256,
      recordCount,
      dictionaryId: dictionary?.id ?? null,
      fingerprint: vectors?.fingerprint ?? null,
    };
    return ok({ row });
  } catch {
    return err({ code: "storage_unavailable" });
  }
}

/** `pack-<name of the object without its ending>`. */
export function artifactIdOf(key: string): string {
  return `pack-${key.slice(key.lastIndexOf("/") + 1).replace(/\.mpz$/, "")}`;
}

interface Expected {
  readonly tenantId: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly recordsDigest: string;
}

async function isAsWritten(context: PackContext, expected: Expected): Promise<boolean> {
  if ((await sha256Of(context.bucket, expected)) !== expected.sha256) return false;
  const reader = await openTenantPack(context, expected);
  if (!reader.ok || !(await reader.value.checkHeader()).ok) return false;
  const digest = new RecordsDigest();
  for (const block of reader.value.footer.blocks.keys()) {
    const records = await reader.value.readBlock(block);
    if (!records.ok) return false;
    for (const record of records.value) digest.add(record);
  }
  return digest.value() === expected.recordsDigest;
}

/** SHA-256 of an object, hexadecimal; '' where it is shorter than it should be. */
export async function sha256Of(
  bucket: R2Bucket,
  { key, sizeBytes }: { readonly key: string; readonly sizeBytes: number },
): Promise<string> {
  const hash = createHash("sha256");
  for (let offset = 0; offset < sizeBytes; offset += READ_BYTES) {
    const range = { offset, length: Math.min(READ_BYTES, sizeBytes - offset) };
    const object = await bucket.get(key, { range });
    if (object === null || object.size !== sizeBytes) return "";
    hash.update(new Uint8Array(await object.arrayBuffer()));
  }
  return hash.digest("hex");
}
