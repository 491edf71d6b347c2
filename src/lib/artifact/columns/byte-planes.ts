/**
 * Rows of equal length, laid out byte by byte: the first byte of each row, then the second of each. What rows have in common at one place
 * (the time of a ulid, the exponent of a float) then stands together, where zstd finds it.
 */
export function toPlanes(rows: Uint8Array, rowBytes: number): Uint8Array<ArrayBuffer> {
  const count = rows.length / rowBytes;
  const planes = new Uint8Array(rows.length);
  for (let row = 0; row < count; row++)
    for (let byte = 0; byte < rowBytes; byte++) planes[byte * count + row] = rows[row * rowBytes + byte] ?? 0;
  return planes;
}

/** The rows that `toPlanes` took apart. */
export function fromPlanes(planes: Uint8Array, rowBytes: number): Uint8Array<ArrayBuffer> {
  const count = planes.length / rowBytes;
  const rows = new Uint8Array(planes.length);
  for (let byte = 0; byte < rowBytes; byte++)
    for (let row = 0; row < count; row++) rows[row * rowBytes + byte] = planes[byte * count + row] ?? 0;
  return rows;
}
