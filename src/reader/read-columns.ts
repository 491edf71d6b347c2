/**
 * The columns of a pack's blocks (docs/FORMATS.md): the other half of read-pack.ts, which goes with it.
 */
const WORDS_MAX = 8_287;
const WORDS_MAGIC = 0x4a565744;

export class PackError extends Error {
  override readonly name = "PackError";
}

export type Cell = unknown;

/** What the columns of a block are read with. */
export interface Source {
  /** Bytes behind the frame that columns have not taken yet. */
  tail: Uint8Array;
  readonly words: readonly string[];
  /** UTF-16 units that words may still become. */
  textLeft: number;
}

export function demand(condition: boolean, whatIsWrong: string): asserts condition {
  if (!condition) throw new PackError(whatIsWrong);
}

export function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new PackError("damaged", { cause });
  }
}

export function asList(given: unknown): readonly unknown[] {
  demand(Array.isArray(given), "something else than a list");
  return given;
}

export function asCount(given: unknown, max: number): number {
  demand(typeof given === "number" && Number.isInteger(given) && given >= 0 && given <= max, "a count that cannot be");
  return given;
}

/** Cells of a column: a number for its encoding, then its parts (docs/FORMATS.md). */
export function readColumn(column: unknown, count: number, source: Source, depth = 0): readonly Cell[] {
  demand(depth < 7, "columns too deep in each other");
  const [encoding, ...parts] = asList(column);
  const [first, second, third] = parts;
  const inner = (part: unknown, cells: number): readonly Cell[] => readColumn(part, cells, source, depth + 1);
  const cells = ((): readonly Cell[] => {
    switch (encoding) {
      case 0:
        return asList(first);
      case 1:
        return optional(asBytes(first), count, (present) => inner(second, present));
      case 2:
        return Array.from({ length: count }, () => first);
      case 3:
        return integers(parts, count, source);
      case 4: {
        const distinct = inner(second, asCount(first, count));
        return inner(third, count).map((index) => distinct[asCount(index, distinct.length - 1)]);
      }
      case 5:
        return identifiers([second, third], { rowBytes: asCount(first, 64), count }, source).map(hex);
      case 6:
        return identifiers(parts, { rowBytes: 16, count }, source).map((bytes) =>
          hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-"),
        );
      case 7:
        return identifiers(parts, { rowBytes: 16, count }, source).map(ulid);
      case 8: {
        const prefixes = inner(first, count);
        const numbers = inner(second, count);
        return prefixes.map((prefix, index) => `${String(prefix)}${String(numbers[index])}`);
      }
      case 9:
        return texts(first);
      case 10:
        return codedTexts(asBytes(first), source);
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

/** `[base, scale, width, first or null, kept, planes]`: base + scale × u, added to the one before where there is a first. */
function integers(parts: readonly unknown[], count: number, source: Source): readonly number[] {
  const [base, scale, width, first, ...planes] = parts;
  demand(typeof base === "number" && typeof scale === "number", "integers without a base");
  const unitCount = first === null ? count : count - 1;
  demand(unitCount >= 0, "integers of another length");
  const rows = identifiers(planes, { rowBytes: asCount(width, 7), count: unitCount }, source);
  const values: number[] = typeof first === "number" ? [first] : [];
  for (const row of rows) {
    const unit = row.reduce((sum, byte) => sum * 256 + byte, 0);
    values.push(base + scale * unit + (first === null ? 0 : (values.at(-1) ?? 0)));
  }
  return values;
}

interface Rows {
  readonly rowBytes: number;
  readonly count: number;
}

/** `[kept, planes]`: the first byte of each row, then the second of each; those behind the first `kept` are the next of the tail. */
function identifiers([kept, planes]: readonly unknown[], rows: Rows, source: Source): readonly Uint8Array[] {
  const first = asBytes(planes);
  const rest = (rows.rowBytes - asCount(kept, rows.rowBytes)) * rows.count;
  demand(first.length + rest === rows.rowBytes * rows.count && rest <= source.tail.length, "rows of another length");
  const all = new Uint8Array(first.length + rest);
  all.set(first);
  all.set(source.tail.subarray(0, rest), first.length);
  source.tail = source.tail.subarray(rest);
  return planeRows(all, rows);
}

export function planeRows(planes: Uint8Array, { rowBytes, count }: Rows): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, row) =>
    Uint8Array.from({ length: rowBytes }, (_unused, byte) => planes[byte * count + row] ?? 0),
  );
}

export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function ulid(bytes: Uint8Array): string {
  let rest = BigInt(`0x${hex(bytes)}`);
  let text = "";
  for (let digit = 0; digit < 26; digit++, rest >>= 5n)
    text = "0123456789ABCDEFGHJKMNPQRSTVWXYZ".charAt(Number(rest & 31n)) + text;
  return text;
}

/** Texts that each end with U+0000. */
function texts(text: unknown): readonly string[] {
  demand(typeof text === "string", "texts without their words");
  const cells = text.split("\0");
  demand(cells.pop() === "", "a text without its end");
  return cells;
}

/**
 * The same, coded: bytes under 80 (hexadecimal) are ASCII, from 80 to de a word each, from df to fe the first of two that are a word, and ff begins UTF-8
 * that lasts to the next ff or to the end of the text.
 */
function codedTexts(bytes: Uint8Array, source: Source): readonly string[] {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const cells: string[] = [];
  let cell = "";
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0) {
      cells.push(cell);
      cell = "";
      continue;
    }
    let piece: string | undefined;
    if (byte < 0x80) piece = String.fromCharCode(byte);
    else if (byte < 0xdf) piece = source.words[byte - 0x80];
    else if (byte < 0xff) piece = source.words[95 + (byte - 0xdf) * 256 + (bytes[++at] ?? Number.NaN)];
    else {
      let end = at + 1;
      while (end < bytes.length && bytes[end] !== 0xff && bytes[end] !== 0) end++;
      const run = bytes.subarray(at + 1, end);
      piece = guarded(() => utf8.decode(run));
      at = bytes[end] === 0xff ? end : end - 1;
    }
    demand(piece !== undefined, "a word that the dictionary does not have");
    source.textLeft -= piece.length;
    demand(source.textLeft >= 0, "more text than a block may hold");
    cell += piece;
  }
  demand(cell === "", "a text without its end");
  return cells;
}

/** The words of a dictionary: its last twelve bytes say where they are and how many bytes. */
export function wordsOf(dictionary: Uint8Array): readonly string[] {
  const end = dictionary.length - 12;
  if (end < 0) return [];
  const place = new DataView(dictionary.buffer, dictionary.byteOffset + end, 12);
  const [start, length] = [place.getUint32(0), place.getUint32(4)];
  if (place.getUint32(8) !== WORDS_MAGIC || start + length > end) return [];
  const words = new TextDecoder().decode(dictionary.subarray(start, start + length)).split("\n");
  words.pop();
  demand(words.length <= WORDS_MAX, "more words than a dictionary may have");
  return words;
}
