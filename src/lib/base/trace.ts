/** W3C Trace Context (https://www.w3.org/TR/trace-context/, level 1): `00-<trace id>-<span id>-<flags>`. `tracestate` is not carried. */
import { hexOf } from "./bytes.ts";

export interface Trace {
  /** 32 lower-case hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** 16 of them: this stretch of the way. */
  readonly spanId: string;
  readonly isSampled: boolean;
}

/** Runs work so that what it logs and whom it calls know its trace. */
export type InTrace = <T>(traceId: string | undefined, work: () => Promise<T>) => Promise<T>;

type FillRandom = (bytes: Uint8Array<ArrayBuffer>) => void;

const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** A header longer than this is of no version that could be meant, characters. */
const HEADER_CHARACTERS_MAX = 256;

export function isTraceId(text: string): boolean {
  return TRACE_ID.test(text);
}

/** Reads the header strictly: what is not well-formed is as good as absent, which the standard asks for. Later versions may have more at their end. */
export function parseTraceparent(header: string | null): Trace | undefined {
  if (header === null || header.length > HEADER_CHARACTERS_MAX) return undefined;
  const [, version, traceId = "", spanId = "", flags = "", rest] = FORM.exec(header) ?? [];
  if (version === undefined || version === "ff" || (version === "00" && rest !== undefined)) return undefined;
  if (!isTraceId(traceId) || /^0+$/.test(spanId)) return undefined;
  return { traceId, spanId, isSampled: (Number.parseInt(flags, 16) & 1) === 1 };
}

/** The header of a call made in this trace. */
export function traceparentOf({ traceId, spanId, isSampled }: Trace): string {
  return `00-${traceId}-${spanId}-${isSampled ? "01" : "00"}`;
}

/** A stretch of our own in a trace: the caller's where there is one, else one that begins here. */
export function traceWithin(caller: Pick<Trace, "traceId"> & Partial<Trace>, fillRandom: FillRandom): Trace {
  return { traceId: caller.traceId, spanId: randomHex(8, fillRandom), isSampled: caller.isSampled ?? false };
}

/** Id of a trace that begins here. */
export function newTraceId(fillRandom: FillRandom): string {
  return randomHex(16, fillRandom);
}

function randomHex(byteCount: number, fillRandom: FillRandom): string {
  const bytes = new Uint8Array(byteCount);
  fillRandom(bytes);
  // All 0 is no id; 128 random bits say that this does not happen, and 64 nearly so.
  bytes[0] = (bytes[0] ?? 0) | 1;
  return hexOf(bytes);
}
