import { joinBytes } from "../../base/bytes.ts";
import { sha256Sync } from "../../base/hash.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { shortDigest } from "../../artifact/pack-footer.ts";
import { PACK_LIMITS } from "../../artifact/pack-limits.ts";
import type { PackReader } from "../../artifact/pack-reader.ts";
import { type PackWriter, RECORD_LEVEL } from "../../artifact/pack-writer.ts";
import { recodeBlock } from "../../artifact/recode-block.ts";
import type { PackRecord } from "../../contract/pack-record.ts";
import type { MovedMember, RegisteredPack } from "../../db/queries/packs.ts";
import type { PackContext, PackFailure } from "./context.ts";
import { openTenantPack } from "./open-tenant-pack.ts";
import { RecordsDigest } from "./records-digest.ts";
import type { RewrittenPack } from "./rewrite-pack.ts";
import { writePack } from "./write-pack.ts";

/**
 * Writes a pack anew without its dictionary and its words, block by block. What a block holds and what it leaves out stays, so that packs of any rules can be
 * taken. The former one is only read.
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
  const former = reader.decompressBlock(entry, stored.value);
  const recoded = former === undefined ? undefined : recodeBlock(former, PACK_LIMITS, { from: reader.words, to: null });
  if (recoded?.ok !== true) return err({ code: "pack_damaged" });
  const { content, tail } = recoded.value;
  const compressed = joinBytes([zstd.compress(content, { level: RECORD_LEVEL }), tail]);
  const bytes = joinBytes([compressed, stored.value.subarray(entry.storedBytes)]);
  const digest = shortDigest(sha256Sync(compressed));
  const sizes = { rawBytes: content.length, storedBytes: compressed.length, tailBytes: tail.length };
  const added = await writer.addBlock({ ...entry, ...sizes, digest }, bytes);
  return added.ok ? ok(records.value) : err({ code: added.error.code });
}
