import { decodeTime, encodeTime, isValid, ulid } from "ulid";
import { hexOf } from "./bytes.ts";
import type { Clock, Random } from "./clock.ts";

/** 26 characters of Crockford base32: 48 bits of milliseconds, then 80 random bits. Sorts by time. */
export type Ulid = string;

/** Makes ulids from the given clock and random source. */
export function ulidFactory(clock: Clock, random: Random): () => Ulid {
  return () => ulid(clock(), random);
}

/** Whether `text` is a ulid in its canonical upper-case form. */
export function isUlid(text: string): boolean {
  return isValid(text) && text === text.toUpperCase();
}

/** Milliseconds since the Unix epoch at which a ulid was made. */
export function ulidTimeMs(id: Ulid): number {
  return decodeTime(id);
}

/** UTC day `yyyy-mm-dd` of a ulid: part of its WAL object's key. */
export function ulidDay(id: Ulid): string {
  return new Date(decodeTime(id)).toISOString().slice(0, 10);
}

/** A UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits. Says when it was made, so that what it names is found by time. */
export function uuidV7(clock: Clock, fillRandom: (bytes: Uint8Array<ArrayBuffer>) => void): string {
  const bytes = new Uint8Array(16);
  fillRandom(bytes);
  const view = new DataView(bytes.buffer);
  const timeMs = clock();
  view.setUint32(0, Math.floor(timeMs / 2 ** 16));
  view.setUint16(4, timeMs % 2 ** 16);
  view.setUint8(6, 0x70 | (view.getUint8(6) & 0x0f));
  view.setUint8(8, 0x80 | (view.getUint8(8) & 0x3f));
  return hexOf(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const UUID_V7 = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Milliseconds since the Unix epoch at which a UUID of version 7 was made; undefined for anything else. */
export function uuidTimeMs(id: string): number | undefined {
  const [, high, low] = UUID_V7.exec(id) ?? [];
  return high === undefined || low === undefined ? undefined : Number.parseInt(high + low, 16);
}

/** Random part of a ulid, characters. */
const RANDOM_CHARACTERS = 16;

/** The first of all ulids of a millisecond. */
export function firstUlidOf(timeMs: number): Ulid {
  return encodeTime(timeMs) + "0".repeat(RANDOM_CHARACTERS);
}
