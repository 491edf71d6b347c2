/**
 * Reads packs (`.mpz`, docs/FORMATS.md) without the rest of the system: this file, read-columns.ts, `fzstd` and `@msgpack/msgpack`, in Node, a browser or a
 * Worker. Take both out of this repository as they are.
 *
 *     import { readFileSync } from "node:fs";
 *     const pack = await readPack(readFileSync("20261125T060001Z-62-01234567.mpz"));
 *     for await (const record of pack.records()) console.log(record.document_id, record.text);
 *
 * Packs without a dictionary need nothing else. For a pack that names one, give `dictionary`, the bytes of its file, and, since fzstd knows no dictionaries,
 * `decompress`, a zstd that does, such as node:zlib in Node (`(frame) => zstdDecompressSync(frame, { dictionary })`). Whatever is wrong with the bytes is
 * thrown as a `PackError`.
 */
import { decode } from "@msgpack/msgpack";
import { decompress as fzstdDecompress } from "fzstd";
import {
  asCount,
  asList,
  type Cell,
  demand,
  guarded,
  hex,
  planeRows,
  readColumn,
  type Source,
  wordsOf,
} from "./read-columns.ts";

const MAGIC = 0x4a56504b;
const END_MAGIC = 0x4a565045;
const HEADER_BYTES = 24;
const TRAILER_BYTES = 56;
/** Bounds of what is unpacked, so that no file can ask for more. */
const BLOCK_BYTES_MAX = 8 * 1024 * 1024;
const FOOTER_BYTES_MAX = 1024 * 1024;
const ROWS_MAX = 16_384;

export interface ReadPackOptions {
  /** The dictionary that the pack names, as its file has it: it has the words that texts are coded with. */
  readonly dictionary?: Uint8Array;
  /** One zstd frame that needs the dictionary `dictionaryId`, at most `bytesMax` bytes when unpacked. */
  readonly decompress?: (frame: Uint8Array, dictionaryId: string, bytesMax: number) => Uint8Array;
}

/** A document as the file has it: columns that have their usual value, or follow from others, are absent. */
export type PackedRecord = Record<string, unknown> & {
  readonly metadata: Record<string, unknown>;
  readonly chunks: readonly PackedChunk[];
};
export type PackedChunk = Record<string, unknown> & { readonly vector?: Float32Array };

export interface ReadPack {
  readonly dictionaryId: string | null;
  readonly recordCount: number;
  /** tenant_id, created_at_ms, models, versions. */
  readonly head: unknown;
  /** Fingerprint, dimensions and kind (f32, f16, int8), or null. */
  readonly vectors: Vectors | null;
  /** Every record, in order, unpacked block by block once its digest was right. */
  records(): AsyncGenerator<PackedRecord>;
}

interface Vectors {
  readonly fingerprint: string;
  readonly dimensions: number;
  readonly kind: "f32" | "f16" | "int8";
}

/** Opens a pack that lies in memory as a whole. */
export async function readPack(bytes: Uint8Array, options: ReadPackOptions = {}): Promise<ReadPack> {
  demand(bytes.length >= HEADER_BYTES + TRAILER_BYTES, "too short for a pack");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  demand(view.getUint32(0) === MAGIC, "not a pack");
  demand(view.getUint8(4) === 1, "a version that this reader does not know");
  const trailer = bytes.length - TRAILER_BYTES;
  demand(view.getUint32(trailer + 52) === END_MAGIC, "cut off");
  const footerBytes = view.getUint32(trailer + 4);
  const footerOffset = trailer - view.getUint32(trailer);
  demand(footerBytes <= FOOTER_BYTES_MAX && footerOffset >= HEADER_BYTES, "a footer that cannot be");
  const storedFooter = bytes.subarray(footerOffset, trailer);
  demand((await digestOf(storedFooter)) === hex(bytes.subarray(trailer + 8, trailer + 16)), "a damaged footer");
  const footer = asRecord(value(unpack(storedFooter, footerBytes)));
  const table = blockTable(footer);
  const dictionaryId = typeof footer["dictionary_id"] === "string" ? footer["dictionary_id"] : null;
  const vectors = vectorsOf(footer["vectors"]);
  const words = options.dictionary === undefined ? [] : wordsOf(options.dictionary);
  async function* records(): AsyncGenerator<PackedRecord> {
    let offset = HEADER_BYTES;
    for (const entry of table) {
      const { rawBytes, storedBytes, tailBytes, vectorCount, vectorStoredBytes } = entry;
      const stored = bytes.subarray(offset, offset + storedBytes);
      const storedVectors = bytes.subarray(offset + storedBytes, offset + storedBytes + vectorStoredBytes);
      offset += storedBytes + vectorStoredBytes;
      demand(offset <= footerOffset && (await digestOf(stored)) === entry.digest, "a damaged block");
      demand(vectorCount === 0 || (await digestOf(storedVectors)) === entry.vectorDigest, "damaged vectors");
      demand(tailBytes <= storedBytes, "a tail longer than its block");
      const frame = stored.subarray(0, storedBytes - tailBytes);
      demand(
        dictionaryId === null || options.decompress !== undefined,
        "a dictionary is needed: give a zstd that knows it",
      );
      const unpacked =
        dictionaryId === null
          ? unpack(frame, rawBytes)
          : guarded(() => options.decompress?.(frame, dictionaryId, rawBytes));
      demand(unpacked instanceof Uint8Array && unpacked.length === rawBytes, "a block of another size");
      const source = { tail: stored.subarray(frame.length), words, textLeft: BLOCK_BYTES_MAX };
      const read = vectors === null ? [] : readVectors(vectors, vectorCount, storedVectors);
      yield* recordsOf(value(unpacked), read, source);
    }
  }
  return { dictionaryId, recordCount: view.getUint32(trailer + 48), head: footer["head"], vectors, records };
}

/** First 8 bytes of the SHA-256, hexadecimal. */
async function digestOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
  return hex(new Uint8Array(digest, 0, 8));
}

/** Bytes of a zstd frame that are exactly `length`. A frame that needs more room than that is damaged. */
function unpack(frame: Uint8Array, length: number): Uint8Array {
  demand(length <= BLOCK_BYTES_MAX, "larger than a block may be");
  demand(contentSizeOf(frame) === length, "another size than its index says");
  const content = guarded(() => fzstdDecompress(frame, new Uint8Array(length)));
  demand(content.length === length, "another size than its index says");
  return content;
}

/** Content size in the header of a zstd frame (RFC 8878, 3.1.1.1); our frames always have one of at most 32 bits. */
function contentSizeOf(frame: Uint8Array): number {
  const [descriptor = 0] = frame.subarray(4, 5);
  const isSingle = (descriptor & 0x20) !== 0;
  const at = 5 + (isSingle ? 0 : 1) + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  const bytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  demand(bytes > 0 && frame.length >= at + bytes, "a frame without its size");
  let size = 0;
  for (let index = bytes - 1; index >= 0; index--) size = size * 256 + (frame[at + index] ?? 0);
  return bytes === 2 ? size + 256 : size;
}

function value(bytes: Uint8Array): unknown {
  const limits = { maxArrayLength: ROWS_MAX, maxMapLength: 64, maxExtLength: 0 };
  return guarded(() => decode(bytes, limits));
}

function asRecord(given: unknown): Record<string, unknown> {
  demand(typeof given === "object" && given !== null && !Array.isArray(given), "something else than a map");
  return Object.fromEntries(Object.entries(given));
}

interface Block {
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly tailBytes: number;
  readonly vectorCount: number;
  readonly vectorStoredBytes: number;
  readonly digest: Cell;
  readonly vectorDigest: Cell;
}

/** The columns of the footer's table: records, raw bytes, stored bytes, those of the tail, vectors, stored bytes of vectors, digests, first keys. */
function blockTable(footer: Record<string, unknown>): Block[] {
  const count = asCount(footer["block_count"], ROWS_MAX);
  if (count === 0) return [];
  const columns = asList(footer["blocks"])
    .slice(0, 8)
    .map((column) => readColumn(column, count, { tail: new Uint8Array(), words: [], textLeft: 0 }));
  return Array.from({ length: count }, (_, row) => ({
    rawBytes: asCount(columns[1]?.[row], BLOCK_BYTES_MAX),
    storedBytes: asCount(columns[2]?.[row], BLOCK_BYTES_MAX),
    tailBytes: asCount(columns[3]?.[row], BLOCK_BYTES_MAX),
    vectorCount: asCount(columns[4]?.[row], ROWS_MAX),
    vectorStoredBytes: asCount(columns[5]?.[row], BLOCK_BYTES_MAX),
    digest: columns[6]?.[row],
    vectorDigest: columns[7]?.[row],
  }));
}

function vectorsOf(given: unknown): Vectors | null {
  if (given === null) return null;
  const { fingerprint, dimensions, kind } = asRecord(given);
  demand(typeof fingerprint === "string" && (kind === "f32" || kind === "f16" || kind === "int8"), "unknown vectors");
  return { fingerprint, dimensions: asCount(dimensions, ROWS_MAX), kind };
}

function* recordsOf(block: unknown, vectors: readonly Float32Array[], source: Source): Generator<PackedRecord> {
  const [records, chunks, list] = asList(block);
  const recordCount = asCount(records, ROWS_MAX);
  const chunkCount = asCount(chunks, ROWS_MAX);
  const columns = asList(list).map((entry): [string, readonly Cell[]] => {
    const [name, column] = asList(entry);
    demand(typeof name === "string", "a column without a name");
    return [name, readColumn(column, name.startsWith("chunk/") ? chunkCount : recordCount, source)];
  });
  const chunkColumns = columns.filter(([name]) => name.startsWith("chunk/"));
  const counts = columns.find(([name]) => name === "chunks")?.[1] ?? [];
  let chunk = 0;
  let vector = 0;
  for (let row = 0; row < recordCount; row++) {
    const fields = rowOf(
      columns.filter(([name]) => !name.includes("/") && name !== "chunks"),
      row,
      "",
    );
    const metadata = rowOf(
      columns.filter(([name]) => name.startsWith("metadata/")),
      row,
      "metadata/",
    );
    const packed: PackedChunk[] = [];
    for (let index = asCount(counts[row] ?? 1, ROWS_MAX); index > 0 && chunk < chunkCount; index--, chunk++) {
      const { vector: hasVector, ...given } = rowOf(chunkColumns, chunk, "chunk/");
      const own = hasVector === false ? undefined : vectors[vector++];
      packed.push(own === undefined ? given : { ...given, vector: own });
    }
    yield { ...fields, metadata, chunks: packed };
  }
}

function rowOf(
  columns: readonly (readonly [string, readonly Cell[]])[],
  row: number,
  prefix: string,
): Record<string, Cell> {
  const cells = columns.map(([name, column]) => [name.slice(prefix.length), column[row]] as const);
  return Object.fromEntries(cells.filter(([, cell]) => cell !== undefined));
}

const ELEMENT_BYTES = { f32: 4, f16: 2, int8: 1 } as const;

/** Vectors of a block: planes of little-endian numbers, each a frame behind its length; for int8 behind one of the planes of an f32 scale each. */
function readVectors({ dimensions, kind }: Vectors, count: number, stored: Uint8Array): readonly Float32Array[] {
  if (count === 0) return [];
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  let at = 0;
  const plane = (length: number): Uint8Array => {
    demand(at + 4 <= stored.length, "vectors that are cut off");
    const start = at + 4;
    at = start + view.getUint32(at);
    demand(at <= stored.length, "vectors that are cut off");
    return unpack(stored.subarray(start, at), length);
  };
  const scales = kind === "int8" ? planeRows(plane(4 * count), { rowBytes: 4, count }) : [];
  const planes = Array.from({ length: ELEMENT_BYTES[kind] }, () => plane(count * dimensions));
  const elements = Array.from({ length: count * dimensions }, (_, element) =>
    Uint8Array.from(planes, (bytes) => bytes[element] ?? 0),
  );
  return Array.from({ length: count }, (_, row) =>
    Float32Array.from({ length: dimensions }, (_unused, column) => {
      const element = new DataView((elements[row * dimensions + column] ?? new Uint8Array(4)).buffer);
      if (kind === "f32") return element.getFloat32(0, true);
      if (kind === "f16") return half(element.getUint16(0, true));
      return element.getInt8(0) * new DataView((scales[row] ?? new Uint8Array(4)).buffer).getFloat32(0, true);
    }),
  );
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const magnitude = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -magnitude : magnitude;
}
