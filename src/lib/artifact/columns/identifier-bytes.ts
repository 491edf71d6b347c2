/** Identifiers of equal shape as bytes: half the size of hexadecimal, five eighths of base32. */
import { hexOf } from "../../base/bytes.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEX = /^(?:[0-9a-f]{2})+$/;
/** 128 bits in 26 digits of five: the first one is at most 7. */
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const BASE32_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

export const UUID_BYTES = 16;
export const ULID_BYTES = 16;
/** Shorter hexadecimal is as likely a word or a number. */
const HEX_BYTES_MIN = 4;
export const HEX_BYTES_MAX = 64;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

export function isUlid(text: string): boolean {
  return ULID.test(text);
}

/** Bytes of lower-case hexadecimal, or undefined for any other text. */
export function hexByteCount(text: string): number | undefined {
  const bytes = text.length / 2;
  return bytes >= HEX_BYTES_MIN && bytes <= HEX_BYTES_MAX && HEX.test(text) ? bytes : undefined;
}

/** Bytes of hexadecimal text, dashes left out. */
export function bytesOfHex(text: string): Uint8Array {
  const digits = text.replaceAll("-", "");
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
}

export function uuidOf(bytes: Uint8Array): string {
  const hex = hexOf(bytes);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

export function bytesOfUlid(text: string): Uint8Array {
  let value = 0n;
  for (const digit of text) value = (value << 5n) | BigInt(BASE32_DIGITS.indexOf(digit));
  return bytesOfHex(value.toString(16).padStart(2 * ULID_BYTES, "0"));
}

export function ulidOf(bytes: Uint8Array): string {
  let value = BigInt(`0x${hexOf(bytes)}`);
  let text = "";
  for (let digit = 0; digit < 26; digit++) {
    text = BASE32_DIGITS.charAt(Number(value & 31n)) + text;
    value >>= 5n;
  }
  return text;
}
