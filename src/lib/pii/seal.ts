/**
 * Reversible placeholders: `[TYPE:v1.<key id>.<payload>]`.
 *
 * The payload is base64url of nonce (12 bytes), ciphertext and tag (16 bytes) of AES-256-GCM over the value's UTF-8, with the type as additional
 * data. The nonce is HMAC-SHA-256 of type, a zero byte and value, cut to 12 bytes: equal values give equal placeholders under one key, and
 * different values never share a nonce but with the chance of a 96-bit collision. Who reads the text without the key learns type, length and
 * equality.
 */
import { utf8Bytes, utf8Text } from "../base/bytes.ts";
import type { PiiSpan, PiiType } from "../contract/pii.ts";
import { replaceSpans } from "./apply-policy.ts";
import { fromBase64Url, toBase64Url } from "./base64url.ts";
import type { PiiKey } from "./pii-key.ts";
import { PAYLOAD_CHARACTERS_MAX } from "./placeholder.ts";

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Longest value whose payload is still recognised as one. UTF-8 bytes. */
export const SEALED_VALUE_BYTES_MAX = Math.floor((PAYLOAD_CHARACTERS_MAX * 3) / 4) - NONCE_BYTES - TAG_BYTES;
/** What a placeholder has besides type and payload: brackets, `:v1.`, the key id and a point. */
const FRAME_CHARACTERS = 15;

const encoder = new TextEncoder();

async function sealValue(type: PiiType, value: string, key: PiiKey): Promise<string> {
  const mac = await crypto.subtle.sign("HMAC", key.nonce, encoder.encode(`${type}\0${value}`));
  const iv = new Uint8Array(mac).slice(0, NONCE_BYTES);
  const sealed = await crypto.subtle.encrypt(
    { name: "AES-GCM", iv, additionalData: encoder.encode(type) },
    key.encryption,
    encoder.encode(value),
  );
  const payload = new Uint8Array(NONCE_BYTES + sealed.byteLength);
  payload.set(iv);
  payload.set(new Uint8Array(sealed), NONCE_BYTES);
  return `[${type}:v1.${key.id}.${toBase64Url(payload)}]`;
}

/** Seals the spans of texts with one key. A value that comes again is sealed once, so keep one for a request and no longer. */
export class Sealer {
  readonly #key: PiiKey;
  readonly #sealed = new Map<string, string>();

  constructor(key: PiiKey) {
    this.#key = key;
  }

  /** The text with a placeholder for each span. @param spans sorted, without overlaps, none longer than `SEALED_VALUE_BYTES_MAX` */
  async seal(text: string, spans: readonly PiiSpan[]): Promise<string> {
    const placeholders: string[] = [];
    for (const { type, start, end } of spans) {
      const value = text.slice(start, end);
      const name = `${type}\0${value}`;
      const placeholder = this.#sealed.get(name) ?? (await sealValue(type, value, this.#key));
      this.#sealed.set(name, placeholder);
      placeholders.push(placeholder);
    }
    return replaceSpans(text, spans, placeholders);
  }
}

/** What sealing would make of a text, without doing it. UTF-8 bytes. */
export interface SealedSize {
  readonly sizeBytes: number;
  readonly longestValueBytes: number;
}

/** The exact size of a sealed text: looked at first, since a text of short values may grow tenfold. Pure. */
export function sealedSize(text: string, spans: readonly PiiSpan[]): SealedSize {
  let [sizeBytes, longestValueBytes] = [utf8Bytes(text).length, 0];
  for (const { type, start, end } of spans) {
    const valueBytes = utf8Bytes(text.slice(start, end)).length;
    const payloadCharacters = Math.ceil(((NONCE_BYTES + valueBytes + TAG_BYTES) * 4) / 3);
    sizeBytes += type.length + FRAME_CHARACTERS + payloadCharacters - valueBytes;
    longestValueBytes = Math.max(longestValueBytes, valueBytes);
  }
  return { sizeBytes, longestValueBytes };
}

/** The value of a payload, or undefined where key, type or payload are not those it was sealed with. */
export async function openValue(type: PiiType, payload: string, key: PiiKey): Promise<string | undefined> {
  const bytes = fromBase64Url(payload);
  if (bytes === undefined) return undefined;
  try {
    const iv = bytes.slice(0, NONCE_BYTES);
    const additionalData = encoder.encode(type);
    const value = await crypto.subtle.decrypt(
      { name: "AES-GCM", iv, additionalData },
      key.encryption,
      bytes.slice(NONCE_BYTES),
    );
    return utf8Text(new Uint8Array(value));
  } catch {
    return undefined;
  }
}
