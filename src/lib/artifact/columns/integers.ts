/**
 * Safe integers as `[base, scale, width, first, kept, planes]`: each is `base + scale × u`, or adds that to the one before (the first is then `first`).
 * `width` bytes hold each u, big-endian in byte planes, so that what is noise in it comes last. Times become small steps this way: milliseconds that are all whole minutes lose the factor 60,000.
 */
import { err, ok, type Result } from "../../base/result.ts";
import type { ColumnError } from "./column-error.ts";
import { readPlanes, writePlanes } from "./noise-planes.ts";
import type { TailReader, TailWriter } from "./tail.ts";

/** A safe integer has 53 bits. */
const WIDTH_MAX = 7;

interface Fitted {
  readonly base: number;
  readonly scale: number;
  readonly width: number;
  readonly units: readonly number[];
}

function greatestCommonDivisor(a: number, b: number): number {
  let [high, low] = [a, b];
  while (low !== 0) [high, low] = [low, high % low];
  return high;
}

function fit(values: readonly number[]): Fitted | undefined {
  let base = Infinity;
  let top = -Infinity;
  for (const value of values) {
    base = Math.min(base, value);
    top = Math.max(top, value);
  }
  if (values.length === 0) return { base: 0, scale: 1, width: 0, units: [] };
  if (!Number.isSafeInteger(top - base) || !values.every(Number.isSafeInteger)) return undefined;
  const scale = values.reduce((divisor, value) => greatestCommonDivisor(divisor, value - base), 0) || 1;
  const units = values.map((value) => (value - base) / scale);
  return { base, scale, width: widthOf((top - base) / scale), units };
}

function widthOf(largest: number): number {
  let width = 0;
  for (let limit = 1; largest >= limit; limit *= 256) width += 1;
  return width;
}

/** Values or steps, whichever compress better; undefined when they span more than 53 bits. */
export function encodeIntegers(values: readonly number[], tail: TailWriter | null): readonly unknown[] | undefined {
  const whole = fit(values);
  const steps = fit(values.slice(1).map((value, index) => value - (values[index] ?? 0)));
  const [first = 0] = values;
  if (steps !== undefined && values.length > 2 && (whole === undefined || areStepsBetter(steps, whole)))
    return partsOf(steps, first, tail);
  return whole === undefined ? undefined : partsOf(whole, null, tail);
}

function partsOf(fitted: Fitted, first: number | null, tail: TailWriter | null): readonly unknown[] {
  const { base, scale, width } = fitted;
  if (width === 0) return [base, scale, width, first, 0, new Uint8Array()];
  return [base, scale, width, first, ...writePlanes(rowsOf(fitted), width, tail)];
}

/** Narrower, or with half as many different bytes: places that count up and begin anew have few steps, and as many values as rows. */
function areStepsBetter(steps: Fitted, whole: Fitted): boolean {
  return steps.width < whole.width || 2 * differentBytes(steps) <= differentBytes(whole);
}

/** Different bytes at each place of the units, added up. After compression the first of its kind costs most, a repeated one next to nothing. */
function differentBytes(fitted: Fitted): number {
  const rows = rowsOf(fitted);
  let different = 0;
  for (let byte = 0; byte < fitted.width; byte++) {
    const seen = new Set<number>();
    for (let at = byte; at < rows.length; at += fitted.width) seen.add(rows[at] ?? 0);
    different += seen.size;
  }
  return different;
}

function rowsOf({ units, width }: Fitted): Uint8Array {
  const rows = new Uint8Array(units.length * width);
  for (const [row, unit] of units.entries()) {
    let rest = unit;
    for (let byte = width - 1; byte >= 0; byte--) {
      rows[row * width + byte] = rest % 256;
      rest = Math.floor(rest / 256);
    }
  }
  return rows;
}

/** Exactly `count` integers. */
export function decodeIntegers(
  parts: readonly unknown[],
  count: number,
  tail: TailReader,
): Result<number[], ColumnError> {
  const [base, scale, width, first, ...planes] = parts;
  if (!isInteger(base) || !isInteger(scale) || !isInteger(width)) return malformed();
  if (first !== null && !isInteger(first)) return malformed();
  const unitCount = first === null ? count : count - 1;
  if (width < 0 || width > WIDTH_MAX || scale < 1 || unitCount < 0) return malformed();
  const rows = readPlanes(planes, { count: unitCount, rowBytes: width }, tail);
  if (rows === undefined) return malformed();
  const values: number[] = first === null ? [] : [first];
  for (let row = 0; row < unitCount; row++) {
    let unit = 0;
    for (let byte = 0; byte < width; byte++) unit = unit * 256 + (rows[row * width + byte] ?? 0);
    const value = base + scale * unit + (first === null ? 0 : (values.at(-1) ?? 0));
    if (!Number.isSafeInteger(value)) return malformed();
    values.push(value);
  }
  return ok(values);
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

function malformed(): Result<never, ColumnError> {
  return err({ code: "column_malformed" });
}
