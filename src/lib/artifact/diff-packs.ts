import { sha256Sync } from "../base/hash.ts";
import { hexOf } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { PackRecord } from "../contract/pack-record.ts";
import type { PackError } from "./pack-error.ts";
import type { PackReader } from "./pack-reader.ts";

/** A document that two packs do not have alike. */
export interface RecordDifference {
  readonly userId: string;
  readonly tier: string;
  readonly documentId: string;
  readonly change: "added" | "removed" | "changed";
  /** Columns that differ, for a changed one. */
  readonly fields: readonly string[];
}

/** Hashes of a record's columns, by name: what is kept of the first pack, so that neither lies in memory. */
type Fingerprints = ReadonlyMap<string, string>;

interface Known {
  readonly place: Pick<RecordDifference, "userId" | "tier" | "documentId">;
  readonly fingerprints: Fingerprints;
}

/** Bytes of a column's hash that are compared: 64 bits. */
const DIGEST_BYTES = 8;

/** What has to be done to the first pack to get the second: in the order of the second, then what is missing there. */
export async function diffPacks(
  before: PackReader,
  after: PackReader,
): Promise<Result<readonly RecordDifference[], PackError>> {
  const known = new Map<string, Known>();
  const differences: RecordDifference[] = [];
  const read = await eachRecord(before, (record) =>
    known.set(keyOf(record), { place: placeOf(record), fingerprints: fingerprintsOf(record) }),
  );
  if (!read.ok) return read;
  const compared = await eachRecord(after, (record) => {
    const key = keyOf(record);
    const former = known.get(key);
    known.delete(key);
    const place = placeOf(record);
    if (former === undefined) differences.push({ ...place, change: "added", fields: [] });
    else {
      const fields = differingFields(former.fingerprints, fingerprintsOf(record));
      if (fields.length > 0) differences.push({ ...place, change: "changed", fields });
    }
  });
  if (!compared.ok) return compared;
  for (const { place } of known.values()) differences.push({ ...place, change: "removed", fields: [] });
  return ok(differences);
}

async function eachRecord(reader: PackReader, take: (record: PackRecord) => void): Promise<Result<void, PackError>> {
  for (const block of reader.footer.blocks.keys()) {
    const records = await reader.readBlock(block);
    if (!records.ok) return err(records.error);
    for (const record of records.value) take(record);
  }
  return ok(undefined);
}

function placeOf({ user_id: userId, tier, document_id: documentId }: PackRecord): Known["place"] {
  return { userId, tier, documentId };
}

function keyOf({ user_id, tier, document_id }: PackRecord): string {
  return JSON.stringify([user_id, tier, document_id]);
}

function fingerprintsOf(record: PackRecord): Fingerprints {
  const { chunks, metadata, ...fields } = record;
  const values: readonly (readonly [string, unknown])[] = [
    ...Object.entries(fields),
    ...Object.entries(metadata).map(([key, value]) => [`metadata/${key}`, value] as const),
    ["chunks", chunks.map(({ vector, ...chunk }) => [chunk, vector === null ? null : [...vector]])],
  ];
  return new Map(
    values.map(([name, value]) => [name, hexOf(sha256Sync(JSON.stringify(value)).subarray(0, DIGEST_BYTES))]),
  );
}

function differingFields(before: Fingerprints, after: Fingerprints): string[] {
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name));
}
