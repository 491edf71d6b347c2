import { sha256Sync } from "../../base/hash.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { shortDigest } from "../../artifact/pack-footer.ts";
import type { PackReader } from "../../artifact/pack-reader.ts";
import { type PackWriter, RECORD_LEVEL } from "../../artifact/pack-writer.ts";
import type { PackRecord } from "../../contract/pack-record.ts";
import type { MovedMember, RegisteredPack } from "../../db/queries/packs.ts";
import type { PackContext, PackFailure } from "./context.ts";
import { openTenantPack } from "./open-tenant-pack.ts";
import { RecordsDigest } from "./records-digest.ts";
import type { RewrittenPack } from "./rewrite-pack.ts";
import { writePack } from "./write-pack.ts";

/**
 * Writes a pack anew without its dictionary, block by block. What is in the blocks stays byte for byte, so that packs of any rules can be taken. The former
 * one is only read.
 */
export async function withoutDictionary(
  context: PackContext,
  { tenantId, pack }: { readonly tenantId: string; readonly pack: RegisteredPack },
): Promise<Result<RewrittenPack, PackFailure>> {
  const opened = await openTenantPack(context, { tenantId, key: pack.object_key, sizeBytes: pack.size_bytes });
  if (!opened.ok) return err({ code: opened.error.code });
  const reader = opened.value;
  const zstd = await context.loadZstd();
  const moved: MovedMember[] = [];
  const head = { ...reader.footer.head, created_at_ms: context.clock() };
  const made = { head, dictionary: null, vectors: reader.footer.vectors };
  const written = await writePack(context, made, async (writer) => {
    const digest = new RecordsDigest();
    for (const block of reader.footer.blocks.keys()) {
      const copied = await copyBlock(zstd, { reader, writer, block });
      if (!copied.ok) return copied;
      for (const record of copied.value) {
        digest.add(record);
        moved.push({ artifactId: pack.artifact_id, position: moved.length, newPosition: moved.length });
      }
    }
    return ok({ recordsDigest: digest.value() });
  });
  return written.ok ? ok({ ...written.value, moved }) : written;
}

async function copyBlock(
  zstd: Awaited<ReturnType<PackContext["loadZstd"]>>,
  { reader, writer, block }: { readonly reader: PackReader; readonly writer: PackWriter; readonly block: number },
): Promise<Result<readonly PackRecord[], PackFailure>> {
  const entry = reader.footer.blocks[block];
  const stored = await reader.readStoredBlock(block);
  if (!stored.ok) return err({ code: stored.error.code });
  const records = reader.decodeBlock(block, stored.value);
  if (!records.ok || entry === undefined) return err({ code: "pack_damaged" });
  const { dictionary } = reader;
  const raw = zstd.decompress(stored.value.subarray(0, entry.storedBytes), { bytesMax: entry.rawBytes, dictionary });
  if (!raw.ok) return err({ code: "pack_damaged" });
  const compressed = zstd.compress(raw.value, { level: RECORD_LEVEL });
  const vectors = stored.value.subarray(entry.storedBytes);
  const bytes = new Uint8Array(compressed.length + vectors.length);
  bytes.set(compressed);
  bytes.set(vectors, compressed.length);
  const digest = shortDigest(sha256Sync(compressed));
  const added = await writer.addBlock({ ...entry, storedBytes: compressed.length, digest }, bytes);
  return added.ok ? ok(records.value) : err({ code: added.error.code });
}
