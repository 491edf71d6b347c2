import { encodeBlock } from "../../artifact/encode-block.ts";
import type { EncodedBlock } from "../../artifact/encoded-block.ts";
import { withDerived } from "../../artifact/derivations.ts";
import type { PackRecord } from "../../contract/pack-record.ts";
import { err, ok, type Result } from "../../base/result.ts";
import {
  selectNewestPacks,
  selectNewestUnpackedWal,
  type TrainedUsers,
  walIdRowSchema,
} from "../../db/queries/dictionaries.ts";
import { packRowSchema, positionRowSchema, type RegisteredPack, selectLivePositions } from "../../db/queries/packs.ts";
import { collectRecords } from "../packs/collect-records.ts";
import type { PackContext, PackFailure } from "../packs/context.ts";
import { PACK_DERIVATIONS } from "../packs/derivations.ts";
import { openTenantPack } from "../packs/open-tenant-pack.ts";
import { packHead } from "../packs/pack-records.ts";

/** What a dictionary is trained on and measured with: blocks as packs without a dictionary have them, before compression. */
export interface Samples {
  readonly training: readonly EncodedBlock[];
  readonly heldOut: readonly EncodedBlock[];
  readonly heldOutRecordCount: number;
  /** Whose texts `training` has. */
  readonly users: TrainedUsers;
  readonly recordCount: number;
}

/** Records of a block, and of a sample: the trainer wants many, and a quarter of a block still has what its columns have in common. */
const BLOCK_RECORDS = 64;
const SAMPLE_RECORDS = 16;
/** One block of so many is held out: what a dictionary is measured with is not in it. */
const HELD_OUT_EVERY = 4;
/** Bytes of all blocks, a quarter of which is held out: ten times the largest dictionary. A training takes 2 to 5 s of CPU for each megabyte (docs/dictionaries.md). */
const BLOCK_BYTES_MAX = 3 * 1024 * 1024;
/** UTF-16 units of text of one block: a block of long documents is not worth its room. */
const BLOCK_CHARACTERS_MAX = 128 * 1024;
/** Where records come from, newest first. */
const WAL_OBJECTS_MAX = 400;
const WAL_OBJECTS_PER_PAGE = 40;
const PACKS_MAX = 8;
const BLOCKS_PER_PACK_MAX = 8;

/** Newest records of a tenant, from WAL objects that are not packed and from packs, until there are enough. */
export async function sampleRecords(context: PackContext, tenantId: string): Promise<Result<Samples, PackFailure>> {
  const gathered = new Gathered(tenantId, context.clock());
  const fromWal = await sampleWal(context, tenantId, gathered);
  if (!fromWal.ok) return fromWal;
  const fromPacks = gathered.isFull ? ok(undefined) : await samplePacks(context, tenantId, gathered);
  return fromPacks.ok ? ok(gathered.samples()) : fromPacks;
}

async function sampleWal(
  context: PackContext,
  tenantId: string,
  gathered: Gathered,
): Promise<Result<void, PackFailure>> {
  const scope = { tenantId, userId: "*" };
  const found = await context.sql.transaction(scope, [selectNewestUnpackedWal(tenantId, WAL_OBJECTS_MAX)], {
    readOnly: true,
  });
  if (!found.ok) return err({ code: found.error.code });
  const walIds = (found.value[0] ?? []).map((row) => walIdRowSchema.parse(row).wal_id);
  for (let from = 0; from < walIds.length && !gathered.isFull; from += WAL_OBJECTS_PER_PAGE) {
    const page = walIds.slice(from, from + WAL_OBJECTS_PER_PAGE);
    const collected = await collectRecords(context, { tenantId, walIds: page, models: gathered.models });
    if (!collected.ok) return collected;
    gathered.add(collected.value.records);
  }
  return ok(undefined);
}

async function samplePacks(
  context: PackContext,
  tenantId: string,
  gathered: Gathered,
): Promise<Result<void, PackFailure>> {
  const scope = { tenantId, userId: "*" };
  const found = await context.sql.transaction(scope, [selectNewestPacks(tenantId, PACKS_MAX)], { readOnly: true });
  if (!found.ok) return err({ code: found.error.code });
  for (const row of found.value[0] ?? []) {
    if (gathered.isFull) break;
    const read = await samplePack(context, { tenantId, pack: packRowSchema.parse(row) }, gathered);
    if (!read.ok) return read;
  }
  return ok(undefined);
}

/** Blocks from all over a pack, of which only the records that hold. A pack that cannot be read is the audit's to name. */
async function samplePack(
  context: PackContext,
  { tenantId, pack }: { readonly tenantId: string; readonly pack: RegisteredPack },
  gathered: Gathered,
): Promise<Result<void, PackFailure>> {
  const scope = { tenantId, userId: "*" };
  const rows = await context.sql.transaction(scope, [selectLivePositions(tenantId, pack.artifact_id)], {
    readOnly: true,
  });
  if (!rows.ok) return err({ code: rows.error.code });
  const live = new Set((rows.value[0] ?? []).map((row) => positionRowSchema.parse(row).position));
  const opened = await openTenantPack(context, { tenantId, key: pack.object_key, sizeBytes: pack.size_bytes });
  if (!opened.ok) return ok(undefined);
  const { blocks } = opened.value.footer;
  const every = Math.max(1, Math.floor(blocks.length / BLOCKS_PER_PACK_MAX));
  let first = 0;
  for (const [block, { recordCount }] of blocks.entries()) {
    if (gathered.isFull) break;
    if (block % every === 0) {
      const records = await opened.value.readBlock(block);
      if (records.ok) gathered.add(records.value.filter((_, index) => live.has(first + index)));
    }
    first += recordCount;
  }
  return ok(undefined);
}

/** Encodes what comes, as blocks of a pack, and forgets the records. */
class Gathered {
  readonly models: string[] = [];
  readonly #tenantId: string;
  readonly #nowMs: number;
  readonly #training: EncodedBlock[] = [];
  readonly #heldOut: EncodedBlock[] = [];
  readonly #oldest = new Map<string, string>();
  #blockCount = 0;
  #bytes = 0;
  #recordCount = 0;
  #heldOutRecordCount = 0;

  constructor(tenantId: string, nowMs: number) {
    this.#tenantId = tenantId;
    this.#nowMs = nowMs;
  }

  get isFull(): boolean {
    return this.#bytes >= BLOCK_BYTES_MAX;
  }

  add(records: readonly PackRecord[]): void {
    for (const block of blocksOf(records)) {
      if (this.isFull) return;
      this.#addBlock(block);
    }
  }

  #addBlock(records: readonly PackRecord[]): void {
    const head = packHead(this.#tenantId, this.models, this.#nowMs);
    const derivation = { derivations: PACK_DERIVATIONS, head };
    const whole = records.map((record) => withDerived(record, derivation));
    const isHeldOut = this.#blockCount % HELD_OUT_EVERY === HELD_OUT_EVERY - 1;
    this.#blockCount += 1;
    this.#recordCount += records.length;
    if (isHeldOut) this.#heldOutRecordCount += records.length;
    const step = isHeldOut ? BLOCK_RECORDS : SAMPLE_RECORDS;
    for (let from = 0; from < whole.length; from += step) {
      const encoded = encodeBlock(whole.slice(from, from + step), derivation);
      this.#bytes += encoded.content.length + encoded.tail.length;
      (isHeldOut ? this.#heldOut : this.#training).push(encoded);
    }
    if (!isHeldOut) for (const record of whole) this.#noteUser(record);
  }

  #noteUser({ user_id: userId, version_key: version }: PackRecord): void {
    const known = this.#oldest.get(userId);
    // A record whose version cannot be told is older than any erasure.
    const own = version ?? "";
    if (known === undefined || own < known) this.#oldest.set(userId, own);
  }

  samples(): Samples {
    return {
      training: this.#training,
      heldOut: this.#heldOut,
      heldOutRecordCount: this.#heldOutRecordCount,
      users: { userIds: [...this.#oldest.keys()], oldestVersions: [...this.#oldest.values()] },
      recordCount: this.#recordCount,
    };
  }
}

/** Records as blocks of a pack, in its order of users and documents, without those that fill one by themselves. */
function blocksOf(records: readonly PackRecord[]): readonly (readonly PackRecord[])[] {
  const sorted = records
    .filter(({ text }) => (text ?? "").length <= BLOCK_CHARACTERS_MAX / 8)
    .toSorted((a, b) => compare(a.user_id, b.user_id) || compare(a.document_id, b.document_id));
  const blocks: PackRecord[][] = [];
  let characters = 0;
  for (const record of sorted) {
    const length = (record.text ?? "").length;
    const last = blocks.at(-1);
    if (last === undefined || last.length >= BLOCK_RECORDS || characters + length > BLOCK_CHARACTERS_MAX) {
      blocks.push([record]);
      characters = length;
    } else {
      last.push(record);
      characters += length;
    }
  }
  return blocks;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
