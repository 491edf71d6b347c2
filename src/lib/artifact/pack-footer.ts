/** The index of a pack: what it holds, and where which block lies. */
import { encode } from "@msgpack/msgpack";
import { z } from "zod";
import { hexOf } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Cell } from "./columns/cell.ts";
import { encodeColumn } from "./columns/encode-column.ts";
import { decodeColumn } from "./columns/decode-column.ts";
import { decodeValue } from "./decode-block.ts";
import { BLOCK_DIGEST_BYTES } from "./pack-layout.ts";
import type { PackError } from "./pack-error.ts";
import type { PackLimits } from "./pack-limits.ts";
import { VECTOR_KINDS, vectorBytes } from "./vector-block.ts";

const DIMENSIONS_MAX = 4_000;

/** What a writer says about the whole pack. */
export const packHeadSchema = z.strictObject({
  tenant_id: z.string().max(48),
  created_at_ms: z.int(),
  /** Fingerprints that the `model` of records and chunks counts in. */
  models: z.array(z.string().max(128)).max(64),
  /** Versions of the rules that derived columns follow from, by name: chunker, lexical. */
  versions: z.record(z.string().max(32), z.string().max(64)),
});
export type PackHead = z.infer<typeof packHeadSchema>;

export const packVectorsSchema = z.strictObject({
  fingerprint: z.string().max(128),
  dimensions: z.int().min(1).max(DIMENSIONS_MAX),
  kind: z.enum(VECTOR_KINDS),
});
export type PackVectors = z.infer<typeof packVectorsSchema>;

const footerSchema = z.strictObject({
  head: packHeadSchema,
  dictionary_id: z.string().length(32).nullable(),
  vectors: packVectorsSchema.nullable(),
  /** Whether the records ascend by (user_id, document_id), code unit by code unit: then one is found by its id. */
  is_sorted: z.boolean(),
  block_count: z.int().min(0),
  blocks: z.array(z.unknown()).max(10),
});

/** One block of records with the vectors behind it. */
export interface BlockEntry {
  readonly recordCount: number;
  readonly rawBytes: number;
  /** Bytes of the frame and of the tail behind it. */
  readonly storedBytes: number;
  readonly tailBytes: number;
  /** First 8 bytes of the SHA-256 of the block as stored, hexadecimal; of its vectors likewise. */
  readonly digest: string;
  readonly vectorCount: number;
  readonly vectorStoredBytes: number;
  readonly vectorDigest: string;
  readonly firstUserId: string;
  readonly firstDocumentId: string;
}

export interface PackFooter {
  readonly head: PackHead;
  readonly dictionaryId: string | null;
  readonly vectors: PackVectors | null;
  readonly isSorted: boolean;
  readonly blocks: readonly BlockEntry[];
}

export const NO_DIGEST = "00".repeat(BLOCK_DIGEST_BYTES);

/** Columns of the block table, in the order of the file. */
const BLOCK_COLUMNS = [
  "recordCount",
  "rawBytes",
  "storedBytes",
  "tailBytes",
  "vectorCount",
  "vectorStoredBytes",
  "digest",
  "vectorDigest",
  "firstUserId",
  "firstDocumentId",
] as const satisfies readonly (keyof BlockEntry)[];

/** The footer's msgpack. */
export function encodeFooter(footer: PackFooter): Uint8Array {
  const { blocks } = footer;
  return encode({
    head: footer.head,
    dictionary_id: footer.dictionaryId,
    vectors: footer.vectors,
    is_sorted: footer.isSorted,
    block_count: blocks.length,
    blocks: blocks.length === 0 ? [] : BLOCK_COLUMNS.map((name) => encodeColumn(blocks.map((block) => block[name]))),
  });
}

/** The footer of decompressed bytes, checked against `limits`; `blocksBytes` is what lies between header and footer. */
export function decodeFooter(
  bytes: Uint8Array,
  limits: PackLimits,
  blocksBytes: number,
): Result<PackFooter, PackError> {
  const parsed = footerSchema.safeParse(decodeValue(bytes));
  if (!parsed.success) return err({ code: "pack_damaged" });
  const { head, dictionary_id: dictionaryId, vectors, is_sorted: isSorted, block_count: count, blocks } = parsed.data;
  if (count > limits.blocksMax)
    return err({ code: "pack_too_large", what: "blocks", value: count, max: limits.blocksMax });
  const entries = count === 0 ? [] : entriesOf(blocks, count);
  if (entries?.every((entry) => isWithin(entry, limits, vectors)) !== true) return err({ code: "pack_damaged" });
  const total = entries.reduce((sum, entry) => sum + entry.storedBytes + entry.vectorStoredBytes, 0);
  if (total !== blocksBytes) return err({ code: "pack_damaged" });
  return ok({ head, dictionaryId, vectors, isSorted, blocks: entries });
}

const entrySchema = z.strictObject({
  recordCount: z.int().min(1),
  rawBytes: z.int().min(1),
  storedBytes: z.int().min(1),
  tailBytes: z.int().min(0),
  vectorCount: z.int().min(0),
  vectorStoredBytes: z.int().min(0),
  digest: z.string().length(2 * BLOCK_DIGEST_BYTES),
  vectorDigest: z.string().length(2 * BLOCK_DIGEST_BYTES),
  firstUserId: z.string(),
  firstDocumentId: z.string(),
});

function entriesOf(columns: readonly unknown[], count: number): BlockEntry[] | undefined {
  const cells = new Map<string, readonly Cell[]>();
  for (const [index, name] of BLOCK_COLUMNS.entries()) {
    const column = decodeColumn(columns[index], count);
    if (!column.ok) return undefined;
    cells.set(name, column.value);
  }
  const entries: BlockEntry[] = [];
  for (let index = 0; index < count; index++) {
    const entry = entrySchema.safeParse(Object.fromEntries([...cells].map(([name, column]) => [name, column[index]])));
    if (!entry.success) return undefined;
    entries.push(entry.data);
  }
  return entries;
}

function isWithin(entry: BlockEntry, limits: PackLimits, vectors: PackVectors | null): boolean {
  const vectorRawBytes = vectors === null ? 0 : vectorBytes(vectors.kind, vectors.dimensions, entry.vectorCount);
  return (
    entry.recordCount <= limits.blockRecordsMax &&
    entry.rawBytes + entry.tailBytes <= limits.blockBytesMax &&
    entry.tailBytes < entry.storedBytes &&
    vectorRawBytes <= limits.blockBytesMax &&
    (vectors !== null || entry.vectorCount === 0) &&
    entry.vectorCount > 0 === entry.vectorStoredBytes > 0
  );
}

/** Offset of a block from the start of the pack. */
export function blockOffset(footer: PackFooter, block: number, headerBytes: number): number {
  let offset = headerBytes;
  for (const entry of footer.blocks.slice(0, block)) offset += entry.storedBytes + entry.vectorStoredBytes;
  return offset;
}

/** Place of a digest's first bytes in a footer. */
export function shortDigest(digest: Uint8Array): string {
  return hexOf(digest.subarray(0, BLOCK_DIGEST_BYTES));
}
