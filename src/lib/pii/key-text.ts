import { z } from "zod";
import { tenantIdSchema } from "../contract/scope.ts";
import { PII_KEY_BYTES } from "./pii-key.ts";

/** Base64 of 32 bytes: 43 characters, and a sign that fills up the last group (RFC 4648, section 4). */
const KEY_FORM = /^[A-Za-z0-9+/]{43}=$/;

/** The bytes of a key as `openssl rand -base64 32` writes it, or undefined for anything else. White space around it is left out. */
export function keyBytesOf(text: string): Uint8Array<ArrayBuffer> | undefined {
  const trimmed = text.trim();
  if (!KEY_FORM.test(trimmed)) return undefined;
  const bytes = Uint8Array.from(atob(trimmed), (character) => character.charCodeAt(0));
  return bytes.length === PII_KEY_BYTES ? bytes : undefined;
}

const keysSchema = z.record(tenantIdSchema, z.string());

/** The keys of `{"tenant": "base64 of 32 bytes", …}`, or undefined where the text is anything else. */
export function keysByTenant(json: string): ReadonlyMap<string, Uint8Array<ArrayBuffer>> | undefined {
  const parsed = keysSchema.safeParse(jsonValue(json));
  if (!parsed.success) return undefined;
  const keys = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [tenantId, text] of Object.entries(parsed.data)) {
    const bytes = keyBytesOf(text);
    if (bytes === undefined) return undefined;
    keys.set(tenantId, bytes);
  }
  return keys;
}

function jsonValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
