/** A part of an object. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * The part that a Range header asks for: `undefined` for all of it (no header, another unit, several ranges, which RFC 9110 lets a server ignore),
 * "unsatisfiable" when it lies outside.
 */
export function byteRange(header: string | null, sizeBytes: number): ByteRange | "unsatisfiable" | undefined {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (from === undefined || to === undefined || (from === "" && to === "")) return undefined;
  if (from === "") {
    const length = Math.min(Number(to), sizeBytes);
    return length === 0 ? "unsatisfiable" : { offset: sizeBytes - length, length };
  }
  const offset = Number(from);
  const last = to === "" ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1);
  if (to !== "" && Number(to) < offset) return undefined;
  return offset >= sizeBytes ? "unsatisfiable" : { offset, length: last - offset + 1 };
}
