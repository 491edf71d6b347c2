/**
 * Reversible placeholders: `[TYPE:v1.<key id>.<payload>]`.
 *
 * From the tenant's key (32 random bytes) HKDF-SHA-256 derives an encryption key, a nonce key and a key id of four bytes (RFC 5869). The payload
 * is base64url of nonce (12 bytes), ciphertext and tag (16 bytes) of AES-256-GCM over the value's UTF-8, with the type as additional data. The
 * nonce is HMAC-SHA-256 of type, a zero byte and value, cut to 12 bytes: equal values give equal placeholders under one key, and different
 * values never share a nonce but with the chance of a 96-bit collision. Who reads the text without the key learns type, length and equality.
 */
import { hexOf, utf8Text } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { PiiPolicy, PiiSpan, PiiType } from "../contract/pii.ts";
import { applyPiiPolicy, type PiiVerdict, replaceSpans, spansToRedact } from "./apply-policy.ts";
import { fromBase64Url, toBase64Url } from "./base64url.ts";
import { isPiiType, PLACEHOLDER } from "./placeholder.ts";

/** Bytes of a tenant's key. */
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const KEY_ID_BYTES = 4;

const encoder = new TextEncoder();

/** A tenant's key, ready for use. */
export interface PiiKey {
  /** Eight hexadecimal characters; tells keys apart and nothing about them. */
  readonly id: string;
  readonly encryption: CryptoKey;
  readonly nonce: CryptoKey;
}

export type PiiKeyError = { readonly code: "pii_key_invalid"; readonly expectedBytes: number };
export type RevealError =
  | { readonly code: "pii_key_wrong"; readonly keyId: string }
  | { readonly code: "pii_seal_broken" };

/** Parameters of HKDF for one purpose. */
function hkdf(purpose: string): {
  name: string;
  hash: string;
  salt: Uint8Array<ArrayBuffer>;
  info: Uint8Array<ArrayBuffer>;
} {
  const info = new Uint8Array(encoder.encode(`jeeves pii v1 ${purpose}`));
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
}

/** Derives the keys from 32 secret bytes. */
export async function importPiiKey(secret: Uint8Array<ArrayBuffer>): Promise<Result<PiiKey, PiiKeyError>> {
  if (secret.length !== KEY_BYTES) return err({ code: "pii_key_invalid", expectedBytes: KEY_BYTES });
  const base = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits", "deriveKey"]);
  const encryption = await crypto.subtle.deriveKey(hkdf("encryption"), base, { name: "AES-GCM", length: 256 }, false, [
    "encrypt",
    "decrypt",
  ]);
  const nonce = await crypto.subtle.deriveKey(
    hkdf("nonce"),
    base,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign"],
  );
  const id = new Uint8Array(await crypto.subtle.deriveBits(hkdf("key id"), base, KEY_ID_BYTES * 8));
  return ok({ id: hexOf(id), encryption, nonce });
}

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

/** As `applyPiiPolicy`, with placeholders that the tenant's key opens again. */
export async function applyPiiPolicySealed(
  { text, spans, policy }: { readonly text: string; readonly spans: readonly PiiSpan[]; readonly policy: PiiPolicy },
  key: PiiKey,
): Promise<PiiVerdict> {
  const hidden = spansToRedact(spans, policy);
  const sealed: string[] = [];
  for (const span of hidden) sealed.push(await sealValue(span.type, text.slice(span.start, span.end), key));
  return { ...applyPiiPolicy(text, spans, policy), text: replaceSpans(text, hidden, sealed) };
}

async function openValue(type: PiiType, payload: string, key: PiiKey): Promise<string | undefined> {
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

/** The text with sealed placeholders opened. Numbered ones stay. Nothing is opened where one belongs to another key or was changed. */
export async function revealText(text: string, key: PiiKey): Promise<Result<string, RevealError>> {
  const parts: string[] = [];
  let position = 0;
  for (const match of text.matchAll(PLACEHOLDER)) {
    const [whole, , type, keyId, payload] = match;
    if (!isPiiType(type) || keyId === undefined || payload === undefined) continue;
    if (keyId !== key.id) return err({ code: "pii_key_wrong", keyId });
    const value = await openValue(type, payload, key);
    if (value === undefined) return err({ code: "pii_seal_broken" });
    parts.push(text.slice(position, match.index), value);
    position = match.index + whole.length;
  }
  parts.push(text.slice(position));
  return ok(parts.join(""));
}
