/**
 * The credential of one stream: names a session and the API key that opened it, sealed by a secret of the deployment. It needs no row anywhere: the key
 * is looked up by its hash on every use, so that a token lives no longer than its key.
 *
 * `jst_1.<base64url of [tenant, user, session, key hash, expiry]>.<base64url of HMAC-SHA-256>`; the digit is the version of all that follows it.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { utf8Bytes, utf8Text } from "../base/bytes.ts";
import { err, ok, type Result } from "../base/result.ts";
import { fromBase64Url, toBase64Url } from "../pii/base64url.ts";

export interface WriteToken {
  readonly tenantId: string;
  readonly userId: string;
  readonly sessionId: string;
  /** SHA-256 of the API key that opened the session, 64 hexadecimal characters. */
  readonly keyHash: string;
  readonly expiresAtMs: number;
}

export type WriteTokenFailure = "token_malformed" | "token_invalid" | "token_expired";

const PREFIX = "jst_";
/** 43 characters: 32 bytes without padding. */
const FORM = /^jst_1\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;
/** Characters of a token: ids of 200 and 180 characters of four bytes are 1,520 bytes, and the rest some 200, by 4/3. */
const CHARACTERS_MAX = 2_500;

const payloadSchema = z.tuple([z.string(), z.string(), z.string(), z.string(), z.int()]);

/** Whether a credential means to be a write token: any version of one. */
export function isWriteToken(credential: string): boolean {
  return credential.startsWith(PREFIX);
}

export function sealWriteToken(token: WriteToken, secret: string): string {
  const { tenantId, userId, sessionId, keyHash, expiresAtMs } = token;
  const payload = toBase64Url(utf8Bytes(JSON.stringify([tenantId, userId, sessionId, keyHash, expiresAtMs])));
  const signed = `${PREFIX}1.${payload}`;
  return `${signed}.${toBase64Url(signatureOf(signed, secret))}`;
}

/** What a token says, when the secret sealed it and it has not expired. Signatures are compared in constant time, before anything is decoded. */
export function openWriteToken(text: string, secret: string, nowMs: number): Result<WriteToken, WriteTokenFailure> {
  const [, payload, signature] = (text.length <= CHARACTERS_MAX ? FORM.exec(text) : null) ?? [];
  if (payload === undefined || signature === undefined) return err("token_malformed");
  const expected = toBase64Url(signatureOf(`${PREFIX}1.${payload}`, secret));
  if (!timingSafeEqual(utf8Bytes(signature), utf8Bytes(expected))) return err("token_invalid");
  const fields = decodePayload(payload);
  if (fields === undefined) return err("token_invalid");
  const [tenantId, userId, sessionId, keyHash, expiresAtMs] = fields;
  if (nowMs >= expiresAtMs) return err("token_expired");
  return ok({ tenantId, userId, sessionId, keyHash, expiresAtMs });
}

function signatureOf(signed: string, secret: string): Uint8Array {
  return createHmac("sha256", secret).update(signed).digest();
}

function decodePayload(payload: string): z.infer<typeof payloadSchema> | undefined {
  const bytes = fromBase64Url(payload);
  const text = bytes === undefined ? undefined : utf8Text(bytes);
  try {
    return payloadSchema.safeParse(JSON.parse(text ?? "")).data;
  } catch {
    return undefined;
  }
}
