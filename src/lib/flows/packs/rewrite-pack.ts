/** Packs written anew: without some of their records, or several as one. */
import type { PackReader } from "../../artifact/pack-reader.ts";
import type { PackWriter } from "../../artifact/pack-writer.ts";
import { isKeyBefore } from "../../artifact/record-key.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { PackRecord } from "../../contract/pack-record.ts";
import type { MovedMember, RegisteredPack } from "../../db/queries/packs.ts";
import type { PackContext, PackFailure } from "./context.ts";
import { isOfTheseRules } from "./derivations.ts";
import { openTenantPack } from "./open-tenant-pack.ts";
import { packHead } from "./pack-records.ts";
import { RecordsDigest } from "./records-digest.ts";
import { type WrittenPack, writePack } from "./write-pack.ts";

export interface RewrittenPack extends WrittenPack {
  /** Where the records that were kept stand now, by the pack and the place they come from. */
  readonly moved: readonly MovedMember[];
}

/** Whether a record stays, by its place in its pack. */
export type KeepsRecord = (record: PackRecord, position: number) => boolean;

/**
 * Writes a pack without the records that are not kept, in the same order, with the same dictionary. A block of which all are kept is taken over as it is,
 * so that the work is that of the blocks that change. The former one is only read. Its records are at most one block in memory.
 */
export async function rewritePack(
  context: PackContext,
  { tenantId, pack }: { readonly tenantId: string; readonly pack: RegisteredPack },
  keeps: KeepsRecord,
): Promise<Result<RewrittenPack, PackFailure>> {
  const opened = await openTenantPack(context, sourceOf(tenantId, pack));
  if (!opened.ok) return err({ code: opened.error.code });
  const reader = opened.value;
  const moved: MovedMember[] = [];
  const head = { ...reader.footer.head, created_at_ms: context.clock() };
  const made = { head, dictionary: reader.dictionary ?? null, vectors: reader.footer.vectors };
  const written = await writePack(context, made, async (writer) => {
    const digest = new RecordsDigest();
    let first = 0;
    for (const block of reader.footer.blocks.keys()) {
      const copied = await copyBlock({ reader, writer, block }, (record, index) => {
        if (!keeps(record, first + index)) return false;
        digest.add(record);
        moved.push({ artifactId: pack.artifact_id, position: first + index, newPosition: moved.length });
        return true;
      });
      if (!copied.ok) return copied;
      first += reader.footer.blocks[block]?.recordCount ?? 0;
    }
    return ok({ recordsDigest: digest.value() });
  });
  return written.ok ? ok({ ...written.value, moved }) : written;
}

async function copyBlock(
  { reader, writer, block }: { readonly reader: PackReader; readonly writer: PackWriter; readonly block: number },
  keeps: KeepsRecord,
): Promise<Result<void, PackFailure>> {
  const stored = await reader.readStoredBlock(block);
  if (!stored.ok) return err({ code: stored.error.code });
  const records = reader.decodeBlock(block, stored.value);
  if (!records.ok) return err({ code: records.error.code });
  const kept = records.value.filter(keeps);
  const entry = reader.footer.blocks[block];
  if (entry !== undefined && kept.length === records.value.length) {
    const added = await writer.addBlock(entry, stored.value);
    return added.ok ? ok(undefined) : err({ code: added.error.code });
  }
  for (const record of kept) {
    const added = await writer.add(record);
    if (!added.ok) return err({ code: added.error.code });
  }
  return ok(undefined);
}

/**
 * Writes several packs as one, by user and document, without the records that are not kept. One block of each is in memory. `keeps` is asked with the place
 * of the pack in the list.
 */
export async function mergePacks(
  context: PackContext,
  { tenantId, packs, dictionary }: MergeSources,
  keeps: (pack: number, position: number) => boolean,
): Promise<Result<RewrittenPack, PackFailure>> {
  const streams: RecordStream[] = [];
  const models: string[] = [];
  for (const [index, pack] of packs.entries()) {
    const opened = await openTenantPack(context, sourceOf(tenantId, pack));
    if (!opened.ok) return err({ code: opened.error.code });
    // What such a pack leaves out cannot be derived here, and would be lost.
    if (!isOfTheseRules(opened.value.footer.head)) return err({ code: "pack_of_other_rules" });
    streams.push(new RecordStream(opened.value, (position) => keeps(index, position)));
    for (const model of opened.value.footer.head.models) if (!models.includes(model)) models.push(model);
  }
  const moved: MovedMember[] = [];
  const written = await writePack(
    context,
    { head: packHead(tenantId, models, context.clock()), dictionary, vectors: null },
    async (writer) => {
      const digest = new RecordsDigest();
      for (;;) {
        const next = await leastOf(streams);
        if (!next.ok) return next;
        if (next.value === undefined) return ok({ recordsDigest: digest.value() });
        const { record, position, stream } = next.value;
        const renumbered = withModels(record, streams[stream]?.models ?? [], models);
        const added = await writer.add(renumbered);
        if (!added.ok) return err({ code: added.error.code });
        digest.add(renumbered);
        moved.push({ artifactId: packs[stream]?.artifact_id ?? "", position, newPosition: moved.length });
      }
    },
  );
  return written.ok ? ok({ ...written.value, moved }) : written;
}

export interface MergeSources {
  readonly tenantId: string;
  readonly packs: readonly RegisteredPack[];
  readonly dictionary: Parameters<typeof writePack>[1]["dictionary"];
}

function sourceOf(
  tenantId: string,
  { object_key: key, size_bytes: sizeBytes }: RegisteredPack,
): { readonly tenantId: string; readonly key: string; readonly sizeBytes: number } {
  return { tenantId, key, sizeBytes };
}

/** The record, whose models count in `from`, as one whose models count in `to`. */
function withModels(record: PackRecord, from: readonly string[], to: readonly string[]): PackRecord {
  const place = (model: number): number => Math.max(0, to.indexOf(from[model] ?? ""));
  const chunks = record.chunks.map((chunk) => ({ ...chunk, model: place(chunk.model) }));
  return { ...record, model: place(record.model), chunks };
}

interface StreamHead {
  readonly record: PackRecord;
  readonly position: number;
}

/** Records of a pack, one after the other; one block in memory. */
class RecordStream {
  readonly models: readonly string[];
  readonly #reader: PackReader;
  readonly #keeps: (position: number) => boolean;
  #block = 0;
  #heads: StreamHead[] = [];
  #first = 0;

  constructor(reader: PackReader, keeps: (position: number) => boolean) {
    this.#reader = reader;
    this.#keeps = keeps;
    this.models = reader.footer.head.models;
  }

  /** The next one, which stays the next one until it is taken. */
  async peek(): Promise<Result<StreamHead | undefined, PackFailure>> {
    while (this.#heads.length === 0 && this.#block < this.#reader.footer.blocks.length) {
      const records = await this.#reader.readBlock(this.#block);
      if (!records.ok) return err({ code: records.error.code });
      const first = this.#first;
      this.#heads = records.value
        .map((record, index) => ({ record, position: first + index }))
        .filter(({ position }) => this.#keeps(position))
        .toReversed();
      this.#first += records.value.length;
      this.#block += 1;
    }
    return ok(this.#heads.at(-1));
  }

  take(): void {
    this.#heads.pop();
  }
}

/** Takes the first of all streams' next records. */
async function leastOf(
  streams: readonly RecordStream[],
): Promise<Result<(StreamHead & { readonly stream: number }) | undefined, PackFailure>> {
  let least: (StreamHead & { readonly stream: number }) | undefined;
  for (const [stream, each] of streams.entries()) {
    const head = await each.peek();
    if (!head.ok) return head;
    if (head.value !== undefined && (least === undefined || isKeyBefore(head.value.record, least.record)))
      least = { ...head.value, stream };
  }
  if (least !== undefined) streams[least.stream]?.take();
  return ok(least);
}
