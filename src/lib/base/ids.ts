import { decodeTime, encodeTime, isValid, ulid } from "ulid";
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

/** Random part of a ulid, characters. */
const RANDOM_CHARACTERS = 16;

/** The first of all ulids of a millisecond. */
export function firstUlidOf(timeMs: number): Ulid {
  return encodeTime(timeMs) + "0".repeat(RANDOM_CHARACTERS);
}
