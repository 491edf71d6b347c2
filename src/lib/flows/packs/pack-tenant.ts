/** Packs what came to a tenant since the last round. */
import { HOUR_MS } from "../../base/durations.ts";
import { ok, type Result } from "../../base/result.ts";
import type { PackRecord } from "../../contract/pack-record.ts";
import { collectRecords } from "./collect-records.ts";
import type { PackContext, PackFailure } from "./context.ts";
import { packRecords } from "./pack-records.ts";
import type { TenantRun } from "./tenant-run.ts";
import { readWalPage, type WalEntry } from "./wal-pages.ts";

/** A request is left alone for so long: its ranges, duplicates that came with it and reports are through by then. */
const SETTLED_MS = HOUR_MS;
/** UTF-16 units and documents of one pack: they are in memory together, with as much again for their chunks. Twice as much took 90 MB. Small ones are merged. */
const PACK_CHARACTERS_MAX = 4_000_000;
const PACK_RECORDS_MAX = 8_192;
/** Of what is read at a time; a single larger request is read by itself. */
const GROUP_CHARACTERS_MAX = 2_000_000;
const GROUP_OBJECTS_MAX = 100;

export interface PackedUpTo {
  /** WAL key up to which everything that has ended is packed: the next round starts after it. */
  readonly upTo: string;
  readonly isDone: boolean;
}

/**
 * Goes over the WAL objects of a tenant behind `startAfter` and makes packs of the documents that came with those that have settled and ended. What has not
 * ended is passed over, and the next round begins before it.
 */
export async function packTenant(
  context: PackContext,
  startAfter: string,
  run: TenantRun,
): Promise<Result<PackedUpTo, PackFailure>> {
  const batch = new PackBatch(context, run, startAfter);
  const beforeMs = context.clock() - SETTLED_MS;
  for (let after = startAfter; ;) {
    if (run.isSpent() || run.left.walObjects <= 0 || run.left.characters <= 0) return batch.end(false);
    const request = { tenantId: run.tenantId, startAfter: after, beforeMs, isWithoutRemoved: false };
    const page = await readWalPage(context, request);
    if (!page.ok) return page;
    for (const group of groupsOf(page.value.entries)) {
      if (run.isSpent() || run.left.walObjects <= 0 || run.left.characters <= 0) return batch.end(false);
      const taken = await batch.take(group);
      if (!taken.ok) return taken;
    }
    if (page.value.isLast) return batch.end(true);
    after = page.value.lastKey;
  }
}

/** Objects that are read together. */
function* groupsOf(entries: readonly WalEntry[]): Generator<readonly WalEntry[]> {
  let group: WalEntry[] = [];
  let characters = 0;
  for (const entry of entries) {
    const size = entry.state.unpacked_characters;
    if (group.length > 0 && (characters + size > GROUP_CHARACTERS_MAX || group.length >= GROUP_OBJECTS_MAX)) {
      yield group;
      group = [];
      characters = 0;
    }
    group.push(entry);
    characters += size;
  }
  if (group.length > 0) yield group;
}

/** Records that wait for their pack, and how far the tenant is packed. */
class PackBatch {
  readonly #context: PackContext;
  readonly #run: TenantRun;
  #records: PackRecord[] = [];
  #models: string[] = [];
  #characters = 0;
  /** Key up to which everything has ended: it counts once what waits is packed. */
  #endedUpTo: string;
  #upTo: string;
  #isAllEnded = true;

  constructor(context: PackContext, run: TenantRun, startAfter: string) {
    this.#context = context;
    this.#run = run;
    this.#endedUpTo = startAfter;
    this.#upTo = startAfter;
  }

  /** Reads what the objects of a group hold; packs what waits where there is enough of it. */
  async take(group: readonly WalEntry[]): Promise<Result<void, PackFailure>> {
    const due = group.filter(({ isEnded, state }) => isEnded && state.unpacked_count > 0);
    const characters = due.reduce((sum, { state }) => sum + state.unpacked_characters, 0);
    const { isDryRun, left, tally, tenantId } = this.#run;
    left.walObjects -= due.length;
    left.characters -= characters;
    if (isDryRun) {
      tally.packedDocumentCount += due.reduce((sum, { state }) => sum + state.unpacked_count, 0);
    } else if (due.length > 0) {
      const isTooMuch = this.#characters + characters > PACK_CHARACTERS_MAX;
      const packed = isTooMuch ? await this.#pack() : ok(undefined);
      if (!packed.ok) return packed;
      const walIds = due.map(({ walId }) => walId);
      const collected = await collectRecords(this.#context, { tenantId, walIds, models: this.#models });
      if (!collected.ok) return collected;
      tally.unreadableCount += collected.value.unreadableCount;
      for (const record of collected.value.records) this.#records.push(record);
      this.#characters += characters;
    }
    for (const entry of group) {
      this.#isAllEnded &&= entry.isEnded;
      if (this.#isAllEnded) this.#endedUpTo = entry.key;
    }
    const isFull = this.#characters >= PACK_CHARACTERS_MAX || this.#records.length >= PACK_RECORDS_MAX;
    return isFull ? this.#pack() : ok(undefined);
  }

  /** Packs what waits, and says how far the tenant is. */
  async end(isDone: boolean): Promise<Result<PackedUpTo, PackFailure>> {
    const packed = await this.#pack();
    return packed.ok ? ok({ upTo: this.#upTo, isDone }) : packed;
  }

  async #pack(): Promise<Result<void, PackFailure>> {
    const { tenantId, tally } = this.#run;
    while (this.#records.length > 0) {
      const records = this.#records.slice(0, PACK_RECORDS_MAX);
      const packed = await packRecords(this.#context, { tenantId, records, models: this.#models });
      if (!packed.ok) return packed;
      this.#records = this.#records.slice(records.length);
      tally.packCount += 1;
      tally.packedDocumentCount += records.length;
      tally.packedBytes += packed.value.sizeBytes;
      tally.packedCharacters += records.reduce((sum, record) => sum + record.character_count, 0);
    }
    this.#characters = 0;
    this.#models = [];
    this.#upTo = this.#endedUpTo;
    return ok(undefined);
  }
}
