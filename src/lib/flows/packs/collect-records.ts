import { err, ok, type Result } from "../../base/result.ts";
import type { PackRecord } from "../../contract/pack-record.ts";
import {
  type PackedChunkRow,
  packedChunkRowSchema,
  type PackedDocumentRow,
  packedDocumentRowSchema,
  selectPackedChunks,
  selectUnpackedDocuments,
} from "../../db/queries/packs.ts";
import { readWalRange } from "../../wal/read-wal-range.ts";
import { walKey } from "../../wal/wal-key.ts";
import { WAL_LIMITS } from "../../wal/wal-limits.ts";
import type { PackFailure, PackReadContext } from "./context.ts";
import { packRecordOf, type StoredInput } from "./pack-record.ts";

/** Documents of one query for chunks, and UTF-16 units of their texts. */
const DOCUMENTS_PER_QUERY = 200;
const CHARACTERS_PER_QUERY = 2_000_000;

export interface Collected {
  readonly records: readonly PackRecord[];
  /** Documents whose text could not be read: their WAL object is damaged, or is another one than their row says. */
  readonly unreadableCount: number;
}

/**
 * Records of the documents that hold, came with one of these WAL objects and are in no pack: rows from the store, texts from R2. `models` gets the
 * fingerprints that the records count in.
 */
export async function collectRecords(
  context: Pick<PackReadContext, "sql" | "bucket">,
  from: { readonly tenantId: string; readonly walIds: readonly string[]; readonly models: string[] },
): Promise<Result<Collected, PackFailure>> {
  const { tenantId, walIds, models } = from;
  const scope = { tenantId, userId: "*" };
  const found = await context.sql.transaction(scope, [selectUnpackedDocuments(tenantId, walIds)], { readOnly: true });
  if (!found.ok) return err({ code: found.error.code });
  const rows = (found.value[0] ?? []).map((row) => packedDocumentRowSchema.parse(row));
  const chunks = await readChunks(context, tenantId, rows);
  if (!chunks.ok) return chunks;
  const records: PackRecord[] = [];
  for (const [walId, own] of Map.groupBy(rows, (row) => row.wal_id)) {
    const indexes = own.map((row) => row.document_index);
    const inputs = await readInputs(context, walKey(tenantId, walId), indexes);
    if (!inputs.ok) return inputs;
    for (const row of own) {
      const input = inputs.value.get(row.document_index);
      const model = placeOf(models, row.fingerprint);
      const record =
        input === undefined
          ? undefined
          : packRecordOf({ row, model, chunks: chunks.value.get(row.document_uid) ?? [] }, input);
      if (record !== undefined) records.push(record);
    }
  }
  return ok({ records, unreadableCount: rows.length - records.length });
}

function placeOf(models: string[], fingerprint: string): number {
  const known = models.indexOf(fingerprint);
  return known === -1 ? models.push(fingerprint) - 1 : known;
}

async function readChunks(
  { sql }: Pick<PackReadContext, "sql">,
  tenantId: string,
  rows: readonly PackedDocumentRow[],
): Promise<Result<ReadonlyMap<string, readonly PackedChunkRow[]>, PackFailure>> {
  const chunks: PackedChunkRow[] = [];
  for (const page of pagesOf(rows)) {
    const uids = page.map((row) => row.document_uid);
    const read = await sql.transaction({ tenantId, userId: "*" }, [selectPackedChunks(tenantId, uids)], {
      readOnly: true,
    });
    if (!read.ok) return err({ code: read.error.code });
    for (const row of read.value[0] ?? []) chunks.push(packedChunkRowSchema.parse(row));
  }
  return ok(Map.groupBy(chunks, (chunk) => chunk.document_uid));
}

function* pagesOf(rows: readonly PackedDocumentRow[]): Generator<readonly PackedDocumentRow[]> {
  let page: PackedDocumentRow[] = [];
  let characters = 0;
  for (const row of rows) {
    const isFull = page.length >= DOCUMENTS_PER_QUERY || characters + row.character_count > CHARACTERS_PER_QUERY;
    if (isFull && page.length > 0) {
      yield page;
      page = [];
      characters = 0;
    }
    page.push(row);
    characters += row.character_count;
  }
  if (page.length > 0) yield page;
}

/** The named inputs of a WAL object, range by range; those of a damaged or missing object are left out. Errors: `storage_unavailable`. */
async function readInputs(
  { bucket }: Pick<PackReadContext, "bucket">,
  key: string,
  indexes: readonly number[],
): Promise<Result<ReadonlyMap<number, StoredInput>, PackFailure>> {
  const wanted = new Set(indexes);
  const inputs = new Map<number, StoredInput>();
  for (let rangeIndex = 0; inputs.size < wanted.size; rangeIndex += 1) {
    const range = await readWalRange(bucket, key, rangeIndex, WAL_LIMITS);
    if (!range.ok) {
      if (range.error.code === "storage_unavailable") return err({ code: range.error.code });
      break;
    }
    const { head, documents, rangeCount } = range.value;
    for (const document of documents)
      if (wanted.has(document.document_index)) inputs.set(document.document_index, { head, document });
    if (rangeIndex + 1 >= rangeCount) break;
  }
  return ok(inputs);
}
