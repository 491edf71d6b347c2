/** Walks over msgpack without building anything: where a value ends, whether it fits the limits, whether its strings are UTF-8. */
import { utf8Text } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";

export interface MsgpackWalkLimits {
  readonly depthMax: number;
  readonly valuesMax: number;
}

export interface MsgpackWalk {
  readonly end: number;
  /** Values met, containers and keys included. */
  readonly valueCount: number;
  readonly stringsAreUtf8: boolean;
}

export type MsgpackWalkError = { readonly code: "malformed" | "too_deep" | "too_many_values" };

/** A header: `bodyBytes` follow it, then `childCount` values. */
export interface MsgpackHeader {
  readonly kind: "scalar" | "string" | "array" | "map";
  readonly end: number;
  readonly bodyBytes: number;
  readonly childCount: number;
}

/** Reads the header at `position`, or `undefined` where the bytes end or hold the one unused code (0xc1). Source: the msgpack specification. */
export function readMsgpackHeader(view: DataView, position: number): MsgpackHeader | undefined {
  if (position >= view.byteLength) return undefined;
  const code = view.getUint8(position);
  if (code <= 0x7f || code >= 0xe0) return scalar(position + 1, 0);
  if (code <= 0x8f) return container("map", position + 1, (code & 0x0f) * 2);
  if (code <= 0x9f) return container("array", position + 1, code & 0x0f);
  if (code <= 0xbf) return { kind: "string", end: position + 1, bodyBytes: code & 0x1f, childCount: 0 };
  return readLongHeader(view, position, code);
}

/** Body bytes of the codes whose size is fixed: nil, booleans, numbers, fixed extensions (with their type byte). */
const FIXED_BODY_BYTES = new Map<number, number>([
  [0xc0, 0],
  [0xc2, 0],
  [0xc3, 0],
  [0xca, 4],
  [0xcb, 8],
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
  [0xd4, 2],
  [0xd5, 3],
  [0xd6, 5],
  [0xd7, 9],
  [0xd8, 17],
]);

/** Codes with a length behind them: bytes of that length, and what it counts. */
const LENGTH_CODES = new Map<number, readonly [lengthBytes: number, kind: MsgpackHeader["kind"], extraBytes: number]>([
  [0xc4, [1, "scalar", 0]],
  [0xc5, [2, "scalar", 0]],
  [0xc6, [4, "scalar", 0]],
  [0xc7, [1, "scalar", 1]],
  [0xc8, [2, "scalar", 1]],
  [0xc9, [4, "scalar", 1]],
  [0xd9, [1, "string", 0]],
  [0xda, [2, "string", 0]],
  [0xdb, [4, "string", 0]],
  [0xdc, [2, "array", 0]],
  [0xdd, [4, "array", 0]],
  [0xde, [2, "map", 0]],
  [0xdf, [4, "map", 0]],
]);

function readLongHeader(view: DataView, position: number, code: number): MsgpackHeader | undefined {
  const fixed = FIXED_BODY_BYTES.get(code);
  if (fixed !== undefined) return scalar(position + 1, fixed);
  const [lengthBytes, kind, extraBytes] = LENGTH_CODES.get(code) ?? [];
  if (lengthBytes === undefined || kind === undefined || extraBytes === undefined) return undefined;
  const end = position + 1 + lengthBytes;
  if (end > view.byteLength) return undefined;
  const length =
    lengthBytes === 1
      ? view.getUint8(position + 1)
      : lengthBytes === 2
        ? view.getUint16(position + 1)
        : view.getUint32(position + 1);
  if (kind === "array") return container(kind, end, length);
  if (kind === "map") return container(kind, end, length * 2);
  return { kind, end, bodyBytes: length + extraBytes, childCount: 0 };
}

function scalar(end: number, bodyBytes: number): MsgpackHeader {
  return { kind: "scalar", end, bodyBytes, childCount: 0 };
}

function container(kind: "array" | "map", end: number, childCount: number): MsgpackHeader {
  return { kind, end, bodyBytes: 0, childCount };
}

/** Walks over the one value at `position`. A length that the remaining bytes cannot hold is `malformed` before anything is allocated for it. */
export function walkMsgpack(
  bytes: Uint8Array,
  position: number,
  limits: MsgpackWalkLimits,
): Result<MsgpackWalk, MsgpackWalkError> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: number[] = [];
  let at = position;
  let valueCount = 0;
  let stringsAreUtf8 = true;
  for (;;) {
    const header = readMsgpackHeader(view, at);
    if (header === undefined || header.end + header.bodyBytes + header.childCount > bytes.length)
      return err({ code: "malformed" });
    if (++valueCount > limits.valuesMax) return err({ code: "too_many_values" });
    at = header.end + header.bodyBytes;
    if (header.kind === "string" && stringsAreUtf8) stringsAreUtf8 = isUtf8(bytes.subarray(header.end, at));
    if (header.kind === "array" || header.kind === "map") {
      if (open.length + 1 > limits.depthMax) return err({ code: "too_deep" });
      open.push(header.childCount);
    } else {
      closeOne(open);
    }
    while (open.at(-1) === 0) {
      open.pop();
      closeOne(open);
    }
    if (open.length === 0) return ok({ end: at, valueCount, stringsAreUtf8 });
  }
}

function closeOne(open: number[]): void {
  const last = open.length - 1;
  const left = open[last];
  if (left !== undefined) open[last] = left - 1;
}

function isUtf8(bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index++) {
    if ((bytes[index] ?? 0) >= 0x80) return utf8Text(bytes.subarray(index)) !== undefined;
  }
  return true;
}
