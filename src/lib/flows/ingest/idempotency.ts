/** Remembers what was replied under an Idempotency-Key, before anything else of the request has an effect. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { sha256Hex, utf8Bytes } from "../../base/bytes.ts";
import { LIMITS } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { acceptReplySchema } from "../../contract/accept-reply.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import { traceIdSchema } from "../../contract/scope.ts";
import { createObject, CREATE_OPTIONS } from "../../bucket/create-object.ts";
import { userMarks } from "../../wal/user-marks.ts";
import { storageUnavailable } from "../problem-of.ts";

/** Everything a replay needs to make the same WAL object and give the same reply. */
export const rememberedSchema = z.strictObject({
  version: z.literal(1),
  wal_id: z.ulid(),
  request_id: z.string(),
  trace_id: traceIdSchema.optional(),
  received_at_ms: z.number(),
  reply: acceptReplySchema,
});
export type Remembered = z.infer<typeof rememberedSchema>;

/** A key is printable ASCII of 1..255 characters. */
export function isIdempotencyKey(key: string): boolean {
  return key.length <= LIMITS.idempotencyKeyCharactersMax && /^[\x21-\x7e]+$/.test(key);
}

/** Hash of what a request asks for: another one under the same key is a mistake of the client. */
export async function requestHash(batchTag: string, contentType: string, body: Uint8Array): Promise<string> {
  const head = utf8Bytes(`${JSON.stringify([batchTag, contentType])}\n`);
  const all = new Uint8Array(head.length + body.length);
  all.set(head);
  all.set(body, head.length);
  return sha256Hex(all);
}

/**
 * Remembers the reply unless the key was used: then what was remembered first. Keys belong to a tenant and to the user a key is bound to, so that
 * no one is replayed another's reply. Errors: idempotency_key_reused, storage_unavailable.
 */
export async function rememberReply(
  bucket: R2Bucket,
  use: {
    readonly principal: Principal;
    readonly key: string;
    readonly requestHash: string;
    /** Whose inputs the reply is about. */
    readonly userIds: readonly string[];
  },
  fresh: Remembered,
): Promise<Result<{ remembered: Remembered; replayed: boolean }, Problem>> {
  const name = await sha256Hex(JSON.stringify([use.principal.userId, use.key]));
  const key = `idempotency/${use.principal.tenantId}/${name}`;
  const object = {
    key,
    bytes: utf8Bytes(JSON.stringify(fresh)),
    contentHash: use.requestHash,
    metadata: userMarks(use.principal.tenantId, use.userIds),
    mediaType: "application/json",
  };
  const created = await createObject(bucket, object, CREATE_OPTIONS);
  if (!created.ok) {
    return err(created.error.code === "object_differs" ? { code: "idempotency_key_reused" } : storageUnavailable());
  }
  if (created.value.created) return ok({ remembered: fresh, replayed: false });
  try {
    const stored = await bucket.get(key);
    const parsed = rememberedSchema.safeParse(stored === null ? undefined : await stored.json());
    return parsed.success ? ok({ remembered: parsed.data, replayed: true }) : err({ code: "internal" });
  } catch {
    return err(storageUnavailable());
  }
}
