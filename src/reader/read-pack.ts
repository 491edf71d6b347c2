/**
 * Reads packs (`.mpz`, docs/FORMATS.md) without the rest of the system: this file, `fzstd` and `@msgpack/msgpack`, in Node, a browser or a Worker.
 * Take it out of this repository as it is.
 *
 *     import { readFileSync } from "node:fs";
 *     const pack = await readPack(readFileSync("20261125T060001Z-62-01234567.mpz"));
 *     for await (const record of pack.records()) console.log(record.document_id, record.text);
 *
 * Packs without a dictionary need nothing else. fzstd knows no dictionaries: for a pack that names one, give `decompress` a zstd that does, such as
 * node:zlib in Node (`(frame) => zstdDecompressSync(frame, { dictionary })`). Whatever is wrong with the bytes is thrown as a `PackError`.
 */
import { decode } from "@msgpack/msgpack";
import { decompress as fzstdDecompress } from "fzstd";

const MAGIC = 0x4a56504b;
const END_MAGIC = 0x4a565045;
const HEADER_BYTES = 24;
const TRAILER_BYTES = 56;
/** Bounds of what is unpacked, so that no file can ask for more. */
const BLOCK_BYTES_MAX = 8 * 1024 * 1024;
const FOOTER_BYTES_MAX = 1024 * 1024;
const ROWS_MAX = 16_384;

export class PackError extends Error {
  override readonly name = "PackError";
}

export interface ReadPackOptions {
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

type Cell = unknown;

function demand(condition: boolean, whatIsWrong: string): asserts condition {
  if (!condition) throw new PackError(whatIsWrong);
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
  async function* records(): AsyncGenerator<PackedRecord> {
    let offset = HEADER_BYTES;
    for (const { rawBytes, storedBytes, vectorCount, vectorStoredBytes, digest, vectorDigest } of table) {
      const frame = bytes.subarray(offset, offset + storedBytes);
      const vectorFrame = bytes.subarray(offset + storedBytes, offset + storedBytes + vectorStoredBytes);
      offset += storedBytes + vectorStoredBytes;
      demand(offset <= footerOffset && (await digestOf(frame)) === digest, "a damaged block");
      demand(vectorCount === 0 || (await digestOf(vectorFrame)) === vectorDigest, "damaged vectors");
      demand(
        dictionaryId === null || options.decompress !== undefined,
        "a dictionary is needed: give a zstd that knows it",
      );
      const unpacked =
        dictionaryId === null
          ? unpack(frame, rawBytes)
          : guarded(() => options.decompress?.(frame, dictionaryId, rawBytes));
      demand(unpacked instanceof Uint8Array && unpacked.length === rawBytes, "a block of another size");
      yield* recordsOf(value(unpacked), vectors === null ? [] : readVectors(vectors, vectorCount, vectorFrame));
    }
  }
  return { dictionaryId, recordCount: view.getUint32(trailer + 48), head: footer["head"], vectors, records };
}

/** First 8 bytes of the SHA-256, hexadecimal. */
async function digestOf(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes));
  return hex(new Uint8Array(digest, 0, 8));
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new PackError("damaged", { cause });
  }
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

function asList(given: unknown): readonly unknown[] {
  demand(Array.isArray(given), "something else than a list");
  return given;
}

function asCount(given: unknown, max: number): number {
  demand(typeof given === "number" && Number.isInteger(given) && given >= 0 && given <= max, "a count that cannot be");
  return given;
}

interface Block {
  readonly rawBytes: number;
  readonly storedBytes: number;
  readonly vectorCount: number;
  readonly vectorStoredBytes: number;
  readonly digest: Cell;
  readonly vectorDigest: Cell;
}

/** The columns of the footer's table: records, raw bytes, stored bytes, vectors, stored bytes of vectors, digests, first keys. */
function blockTable(footer: Record<string, unknown>): Block[] {
  const count = asCount(footer["block_count"], ROWS_MAX);
  if (count === 0) return [];
  const columns = asList(footer["blocks"])
    .slice(0, 7)
    .map((column) => readColumn(column, count));
  return Array.from({ length: count }, (_, row) => ({
    rawBytes: asCount(columns[1]?.[row], BLOCK_BYTES_MAX),
    storedBytes: asCount(columns[2]?.[row], BLOCK_BYTES_MAX),
    vectorCount: asCount(columns[3]?.[row], ROWS_MAX),
    vectorStoredBytes: asCount(columns[4]?.[row], BLOCK_BYTES_MAX),
    digest: columns[5]?.[row],
    vectorDigest: columns[6]?.[row],
  }));
}

function vectorsOf(given: unknown): Vectors | null {
  if (given === null) return null;
  const { fingerprint, dimensions, kind } = asRecord(given);
  demand(typeof fingerprint === "string" && (kind === "f32" || kind === "f16" || kind === "int8"), "unknown vectors");
  return { fingerprint, dimensions: asCount(dimensions, ROWS_MAX), kind };
}

function* recordsOf(block: unknown, vectors: readonly Float32Array[]): Generator<PackedRecord> {
  const [records, chunks, list] = asList(block);
  const recordCount = asCount(records, ROWS_MAX);
  const chunkCount = asCount(chunks, ROWS_MAX);
  const columns = asList(list).map((entry): [string, readonly Cell[]] => {
    const [name, column] = asList(entry);
    demand(typeof name === "string", "a column without a name");
    return [name, readColumn(column, name.startsWith("chunk/") ? chunkCount : recordCount)];
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

/** Cells of a column: a number for its encoding, then its parts (docs/FORMATS.md). */
function readColumn(column: unknown, count: number, depth = 0): readonly Cell[] {
  demand(depth < 7, "columns too deep in each other");
  const [encoding, ...parts] = asList(column);
  const [first, second, third] = parts;
  const inner = (part: unknown, cells: number): readonly Cell[] => readColumn(part, cells, depth + 1);
  const cells = ((): readonly Cell[] => {
    switch (encoding) {
      case 0:
        return asList(first);
      case 1:
        return optional(asBytes(first), count, (present) => inner(second, present));
      case 2:
        return Array.from({ length: count }, () => first);
      case 3:
        return integers(parts, count);
      case 4: {
        const distinct = inner(second, asCount(first, count));
        return inner(third, count).map((index) => distinct[asCount(index, distinct.length - 1)]);
      }
      case 5:
        return identifiers(second, asCount(first, 64), count).map(hex);
      case 6:
        return identifiers(first, 16, count).map((bytes) =>
          hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
        );
      case 7:
        return identifiers(first, 16, count).map(ulid);
      case 8: {
        const numbers = inner(second, count);
        return inner(first, count).map((prefix, index) => `${String(prefix)}${String(numbers[index])}`);
      }
      case 9:
        return texts(inner(first, count), second);
      default:
        throw new PackError("an encoding that this reader does not know");
    }
  })();
  demand(cells.length === count, "a column of another length");
  return cells;
}

function asBytes(given: unknown): Uint8Array {
  demand(given instanceof Uint8Array, "something else than bytes");
  return given;
}

function optional(bitmap: Uint8Array, count: number, read: (present: number) => readonly Cell[]): readonly Cell[] {
  const isPresent = Array.from({ length: count }, (_, index) => (((bitmap[index >> 3] ?? 0) >> (index & 7)) & 1) === 1);
  const present = read(isPresent.filter(Boolean).length);
  let next = 0;
  return isPresent.map((is) => (is ? present[next++] : undefined));
}

/** `[base, scale, width, first or null, planes]`: base + scale × u, added to the one before where there is a first. */
function integers([base, scale, width, first, planes]: readonly unknown[], count: number): readonly number[] {
  demand(typeof base === "number" && typeof scale === "number", "integers without a base");
  const unitCount = first === null ? count : count - 1;
  const bytes = asBytes(planes);
  const unitBytes = asCount(width, 7);
  demand(unitCount >= 0 && bytes.length === unitCount * unitBytes, "integers of another length");
  const values: number[] = typeof first === "number" ? [first] : [];
  for (let row = 0; row < unitCount; row++) {
    let unit = 0;
    for (let byte = unitBytes - 1; byte >= 0; byte--) unit = unit * 256 + (bytes[byte * unitCount + row] ?? 0);
    values.push(base + scale * unit + (first === null ? 0 : (values.at(-1) ?? 0)));
  }
  return values;
}

/** Rows that lie byte by byte: the first byte of each, then the second of each. */
function identifiers(planes: unknown, rowBytes: number, count: number): readonly Uint8Array[] {
  const bytes = asBytes(planes);
  demand(bytes.length === rowBytes * count, "identifiers of another length");
  return Array.from({ length: count }, (_, row) =>
    Uint8Array.from({ length: rowBytes }, (_unused, byte) => bytes[byte * count + row] ?? 0),
  );
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function ulid(bytes: Uint8Array): string {
  let rest = BigInt(`0x${hex(bytes)}`);
  let text = "";
  for (let digit = 0; digit < 26; digit++, rest >>= 5n)
    text = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".charAt(Number(rest & 31n)) + text;
  return text;
}

function texts(lengths: readonly Cell[], text: unknown): readonly string[] {
  demand(typeof text === "string", "texts without their words");
  let offset = 0;
  return lengths.map((length) => {
    const start = offset;
    offset += asCount(length, text.length - start);
    return text.slice(start, offset);
  });
}

const ELEMENT_BYTES = { f32: 4, f16: 2, int8: 1 } as const;

/** Vectors of a block: planes of little-endian numbers, for int8 behind the planes of an f32 scale each. */
function readVectors({ dimensions, kind }: Vectors, count: number, frame: Uint8Array): readonly Float32Array[] {
  if (count === 0) return [];
  const scaleBytes = kind === "int8" ? 4 * count : 0;
  const unpacked = unpack(frame, scaleBytes + count * dimensions * ELEMENT_BYTES[kind]);
  const scales = identifiers(unpacked.subarray(0, scaleBytes), 4, scaleBytes / 4);
  const elements = identifiers(unpacked.subarray(scaleBytes), ELEMENT_BYTES[kind], count * dimensions);
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
