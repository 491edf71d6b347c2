import { hexOf } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";

/** Bytes of a tenant's key. */
export const PII_KEY_BYTES = 32;
const KEY_ID_BYTES = 4;

/** A tenant's key, ready for use. */
export interface PiiKey {
  /** Eight hexadecimal characters; tells keys apart and nothing about them. */
  readonly id: string;
  readonly encryption: CryptoKey;
  readonly nonce: CryptoKey;
}

export type PiiKeyError = { readonly code: "pii_key_invalid"; readonly expectedBytes: number };

/** Parameters of HKDF for one purpose. */
function hkdf(purpose: string): {
  name: string;
  hash: string;
  salt: Uint8Array<ArrayBuffer>;
  info: Uint8Array<ArrayBuffer>;
} {
  const info = new Uint8Array(new TextEncoder().encode(`jeeves pii v1 ${purpose}`));
  return { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(0), info };
}

/** Derives an encryption key, a nonce key and a key id from 32 secret bytes with HKDF-SHA-256 (RFC 5869). */
export async function importPiiKey(secret: Uint8Array<ArrayBuffer>): Promise<Result<PiiKey, PiiKeyError>> {
  if (secret.length !== PII_KEY_BYTES) return err({ code: "pii_key_invalid", expectedBytes: PII_KEY_BYTES });
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
