/** Byte planes of which the last ones, where they are noise, stand in the tail of a block: `[planes that stay, their bytes]`. */
import { joinBytes } from "../../base/bytes.ts";
import { fromPlanes, toPlanes } from "./byte-planes.ts";
import type { TailReader, TailWriter } from "./tail.ts";

/** A plane in which at least this share of the bytes differ is noise, and costs more than itself among texts. */
const NOISE_SHARE = 0.6;
const NOISE_COST = 1.2;
const BYTE_BITS = 8;

export type PlaneParts = readonly [kept: number, planes: Uint8Array];

/** The rows in planes; without a tail all of them stay. */
export function writePlanes(rows: Uint8Array, rowBytes: number, tail: TailWriter | null): PlaneParts {
  const planes = toPlanes(rows, rowBytes);
  const kept = tail === null ? rowBytes : keptPlanes(planes, rowBytes);
  const cut = kept * (rows.length / rowBytes);
  tail?.put(planes.subarray(cut));
  return [kept, planes.subarray(0, cut)];
}

/** The rows again, or undefined where the parts do not have that shape. */
export function readPlanes(
  [kept, planes]: readonly unknown[],
  { count, rowBytes }: { readonly count: number; readonly rowBytes: number },
  tail: TailReader,
): Uint8Array | undefined {
  if (typeof kept !== "number" || !Number.isInteger(kept) || kept < 0 || kept > rowBytes) return undefined;
  if (!(planes instanceof Uint8Array) || planes.length !== kept * count) return undefined;
  const rest = tail.take((rowBytes - kept) * count);
  if (rest === undefined) return undefined;
  return fromPlanes(joinBytes([planes, rest]), Math.max(1, rowBytes));
}

/** How many planes stay so that all of them cost least. */
function keptPlanes(planes: Uint8Array, rowBytes: number): number {
  const count = planes.length / rowBytes;
  let [kept, saved, savedMost] = [rowBytes, 0, 0];
  for (let plane = rowBytes - 1; plane >= 0; plane--) {
    saved += costAmongTexts(planes.subarray(plane * count, (plane + 1) * count)) - count;
    if (saved > savedMost) [kept, savedMost] = [plane, saved];
  }
  return kept;
}

/** Bytes that a plane takes inside the frame, estimated: each value once, then which of them it is. */
function costAmongTexts(plane: Uint8Array): number {
  const different = new Set(plane).size;
  if (different >= NOISE_SHARE * plane.length) return NOISE_COST * plane.length;
  return different + (plane.length * Math.log2(different)) / BYTE_BITS;
}
