/** Documents of a backup back into the store: rows from the lines, texts and vectors from the packs beside them. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { openPack, type PackReader, type PackReaderOptions } from "../../artifact/pack-reader.ts";
import { PACK_LIMITS } from "../../artifact/pack-limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { PackRecord } from "../../contract/pack-record.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  areColumns,
  clearDocuments,
  countMissingDocuments,
  insertRows,
  type ListedDocuments,
  missingRowSchema,
  pruneDocuments,
} from "../../db/queries/restore.ts";
import { vectorLiteral } from "../indexing/vector-literal.ts";
import type { StoreVariant } from "../../db/queries/models.ts";
import type { Sql, Statement } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";
import { type DocumentLine, documentLineSchema, keptLineSchema } from "./document-part.ts";
import type { Damage } from "./damage.ts";
import { type Line, readFile, readLines } from "./line-file.ts";
import type { BackupFile } from "./manifest.ts";

export interface DocumentRestore {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly zstd: PackReaderOptions["zstd"];
  readonly tenantId: string;
  readonly variant: StoreVariant;
}

/** One part: a file of lines, and the packs of the same number. */
export interface RestoredPart {
  readonly lines: BackupFile;
  readonly packs: ReadonlyMap<number, BackupFile>;
  /** Documents of an earlier backup may be there. */
  readonly isDelta: boolean;
  /** Of the last backup of the chain: its list is what there is. null: some other. */
  readonly range: (Pick<ListedDocuments, "fromUid"> & { readonly isLast: boolean }) | null;
}

export interface PartResult {
  readonly documentCount: number;
  readonly chunkCount: number;
  /** Documents that the backup lists and that could not be restored whole. */
  readonly missingCount: number;
  /** Where the next part's range begins; undefined where this one's lines could not be read. */
  readonly lastUid: string | undefined;
  readonly damages: readonly Damage[];
}

/** Documents and chunks of one transaction. */
const DOCUMENTS_MAX = 200;
const CHUNKS_MAX = 1_000;

export async function restorePart(restore: DocumentRestore, part: RestoredPart): Promise<Result<PartResult, Problem>> {
  const damages: Damage[] = [];
  const lines = await readLines(restore.bucket, part.lines);
  if (!lines.ok) {
    const damaged = [{ key: part.lines.key, code: lines.error }];
    return ok({ documentCount: 0, chunkCount: 0, missingCount: 0, lastUid: undefined, damages: damaged });
  }
  const texts = await TextSource.open(restore, part.packs, damages);
  let [documentCount, chunkCount] = [0, 0];
  for (const page of pagesOf(lines.value)) {
    const rows: RestoredRows = { uids: [], documents: [], chunks: [], signatures: [], bands: [] };
    for (const line of page) await addRows(rows, line, { texts, variant: restore.variant });
    const written = await restore.sql.transaction(scopeOf(restore), statementsOf(restore.tenantId, rows, part.isDelta));
    if (!written.ok) return err(problemOfSql(written.error));
    documentCount += rows.documents.length;
    chunkCount += rows.chunks.length;
  }
  const settled = await settleList(restore, lines.value, part);
  if (!settled.ok) return settled;
  return ok({ documentCount, chunkCount, ...settled.value, damages });
}

/** Documents with rows, in pages that fit into a transaction. */
function* pagesOf(lines: readonly Line[]): Generator<readonly DocumentLine[]> {
  let page: DocumentLine[] = [];
  let chunkCount = 0;
  for (const { table, json } of lines) {
    if (table !== "documents") continue;
    const line = documentLineSchema.parse(JSON.parse(json));
    if (page.length > 0 && (page.length >= DOCUMENTS_MAX || chunkCount + line.chunks.length > CHUNKS_MAX)) {
      yield page;
      page = [];
      chunkCount = 0;
    }
    page.push(line);
    chunkCount += line.chunks.length;
  }
  if (page.length > 0) yield page;
}

interface RestoredRows {
  readonly uids: string[];
  readonly documents: unknown[];
  readonly chunks: unknown[];
  readonly signatures: unknown[];
  readonly bands: unknown[];
}

/** A document of which a text is lost is left out whole: half of it would look like all of it. */
async function addRows(
  rows: RestoredRows,
  line: DocumentLine,
  { texts, variant }: { readonly texts: TextSource; readonly variant: StoreVariant },
): Promise<void> {
  const chunks: unknown[] = [];
  let isWhole = true;
  for (const [modelId] of line.models) {
    const record = await texts.next(modelId, line.document_uid);
    const own = line.chunks.filter((chunk) => chunk["model_id"] === modelId);
    for (const [index, chunk] of own.entries()) {
      const { text, vector } = record?.chunks[index] ?? { text: "", vector: null };
      if (vector === null) isWhole = false;
      else chunks.push({ ...chunk, text, embedding: embeddingOf(vector, variant) });
    }
  }
  if (!isWhole) return;
  rows.uids.push(line.document_uid);
  rows.documents.push(line.document);
  rows.chunks.push(...chunks);
  if (line.signature !== null) rows.signatures.push(line.signature);
  rows.bands.push(...line.bands);
}

/** As jsonb_populate_recordset takes it: the text of a halfvec, or the array of the other store. */
function embeddingOf(vector: Float32Array, variant: StoreVariant): unknown {
  const literal = vectorLiteral(vector);
  return variant === "vector" ? literal : JSON.parse(literal);
}

const objectSchema = z.record(z.string(), z.unknown());

function statementsOf(tenantId: string, rows: RestoredRows, isDelta: boolean): readonly Statement[] {
  const tables = [
    ["documents", rows.documents],
    ["doc_embeddings", rows.chunks],
    ["document_signatures", rows.signatures],
    ["signature_bands", rows.bands],
  ] as const;
  const inserts = tables.flatMap(([name, own]) => {
    const columns = Object.keys(objectSchema.catch({}).parse(own[0]));
    if (!areColumns(columns)) return [];
    return [insertRows(tenantId, { name }, { columns, rowsJson: JSON.stringify(own), isReplacing: isDelta })];
  });
  return [...(isDelta && rows.uids.length > 0 ? clearDocuments(tenantId, rows.uids) : []), ...inserts];
}

/** Makes what there is of a stretch of documents the same as the last backup's list, and counts what is missing of it. */
async function settleList(
  restore: DocumentRestore,
  lines: readonly Line[],
  { range }: RestoredPart,
): Promise<Result<Pick<PartResult, "missingCount" | "lastUid">, Problem>> {
  const documents = lines.map(({ json }) => {
    const line = keptLineSchema.parse(JSON.parse(json));
    return { documentUid: line.document_uid, versionKey: line.version_key, models: line.models };
  });
  const lastUid = documents.at(-1)?.documentUid ?? range?.fromUid;
  if (range === null) return ok({ missingCount: 0, lastUid });
  const toUid = range.isLast ? null : (lastUid ?? null);
  const settled = await restore.sql.transaction(scopeOf(restore), [
    ...pruneDocuments(restore.tenantId, { fromUid: range.fromUid, toUid, documents }),
    countMissingDocuments(restore.tenantId, documents),
  ]);
  if (!settled.ok) return err(problemOfSql(settled.error));
  return ok({ missingCount: missingRowSchema.parse(settled.value.at(-1)?.[0]).missing_count, lastUid });
}

/** Records of the packs of a part, handed out in the order of its lines. */
class TextSource {
  readonly #packs: ReadonlyMap<number, RecordStream>;

  private constructor(packs: ReadonlyMap<number, RecordStream>) {
    this.#packs = packs;
  }

  static async open(
    { bucket, zstd }: DocumentRestore,
    files: ReadonlyMap<number, BackupFile>,
    damages: Damage[],
  ): Promise<TextSource> {
    const packs = new Map<number, RecordStream>();
    for (const [modelId, file] of files) {
      const opened = await openBackupPack(bucket, file, zstd);
      if (opened.ok) packs.set(modelId, new RecordStream(opened.value.reader, { key: file.key, damages }));
      // Sound blocks of a damaged pack are read all the same.
      if (!opened.ok || !opened.value.isSound)
        damages.push({ key: file.key, code: opened.ok ? "damaged" : opened.error });
    }
    return new TextSource(packs);
  }

  async next(modelId: number, documentUid: string): Promise<PackRecord | undefined> {
    return this.#packs.get(modelId)?.take(documentUid);
  }
}

/** Opens a pack of a backup in memory. Its own digests guard its blocks, so that one that is damaged in one place can be read in the others. */
export async function openBackupPack(
  bucket: R2Bucket,
  file: BackupFile,
  zstd: PackReaderOptions["zstd"],
): Promise<Result<{ readonly reader: PackReader; readonly isSound: boolean }, Damage["code"]>> {
  const whole = await readFile(bucket, file);
  let bytes = whole.ok ? whole.value : undefined;
  if (!whole.ok && whole.error === "damaged") {
    const object = await bucket.get(file.key);
    bytes = object === null ? undefined : new Uint8Array(await object.arrayBuffer());
  }
  if (bytes === undefined) return err(whole.ok ? "missing" : whole.error);
  const content = bytes;
  const source = {
    sizeBytes: content.length,
    read: async ({ offset, length }: { offset: number; length: number }) => content.subarray(offset, offset + length),
  };
  const reader = await openPack(source, {
    zstd,
    dictionaryOf: async () => undefined,
    derivations: {},
    limits: PACK_LIMITS,
  });
  return reader.ok ? ok({ reader: reader.value, isSound: whole.ok }) : err(reader.error.code);
}

class RecordStream {
  readonly #reader: PackReader;
  readonly #note: { readonly key: string; readonly damages: Damage[] };
  #block = 0;
  #records: readonly PackRecord[] = [];
  #position = 0;

  constructor(reader: PackReader, note: { readonly key: string; readonly damages: Damage[] }) {
    this.#reader = reader;
    this.#note = note;
  }

  /** The document's record if it is the next one: records stand in the order of the lines, and those of a damaged block are missing. */
  async take(documentUid: string): Promise<PackRecord | undefined> {
    while (this.#position >= this.#records.length && this.#block < this.#reader.footer.blocks.length) {
      const records = await this.#reader.readBlock(this.#block);
      if (!records.ok) this.#note.damages.push({ key: this.#note.key, code: records.error.code, block: this.#block });
      this.#block += 1;
      this.#records = records.ok ? records.value : [];
      this.#position = 0;
    }
    const record = this.#records[this.#position];
    if (record?.document_uid !== documentUid) return undefined;
    this.#position += 1;
    return record;
  }
}

function scopeOf({ tenantId }: DocumentRestore): { readonly tenantId: string; readonly userId: string } {
  return { tenantId, userId: "*" };
}
