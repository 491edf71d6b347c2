/** A session's marker in R2: tells that there is one, without Postgres, and remembers an erasure until it is done. docs/FORMATS.md has the table. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { sha256HexSync } from "../../base/hash.ts";
import { utf8Bytes } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { sessionMarkerKey } from "../../session/session-keys.ts";
import type { SessionIdentity } from "../../session/session-log-api.ts";
import { createObject, CREATE_OPTIONS } from "../../bucket/create-object.ts";
import { storageUnavailable } from "../problem-of.ts";

const markerSchema = z.strictObject({
  version: z.literal(1),
  tenant_id: z.string(),
  user_id: z.string(),
  session_id: z.string(),
  source: z.string(),
  opened_at: z.iso.datetime(),
  /** Of an erasure that is not done: documents of the events from `next_seq` to `last_seq` are still to go. */
  erasing: z.strictObject({ next_seq: z.int().min(1), last_seq: z.int().min(0) }).optional(),
});
export type SessionMarker = z.infer<typeof markerSchema>;

const MEDIA_TYPE = "application/json";

/** Writes the marker unless there is one: that says the same of the session, but for the time. */
export async function createMarker(bucket: R2Bucket, marker: SessionMarker): Promise<Result<void, Problem>> {
  const bytes = utf8Bytes(JSON.stringify(marker));
  const object = {
    key: markerKey(marker),
    bytes,
    contentHash: sha256HexSync(bytes),
    metadata: {},
    mediaType: MEDIA_TYPE,
  };
  const created = await createObject(bucket, object, CREATE_OPTIONS);
  return created.ok || created.error.code === "object_differs" ? ok(undefined) : err(storageUnavailable());
}

/** Undefined where the session was never opened, or is erased. */
export function readMarker(
  bucket: R2Bucket,
  session: SessionIdentity,
): Promise<Result<SessionMarker | undefined, Problem>> {
  return readMarkerAt(bucket, sessionMarkerKey(session));
}

/** The same, by the key of the marker. */
export async function readMarkerAt(bucket: R2Bucket, key: string): Promise<Result<SessionMarker | undefined, Problem>> {
  try {
    const object = await bucket.get(key);
    if (object === null) return ok(undefined);
    const marker = markerSchema.safeParse(await object.json());
    return marker.success ? ok(marker.data) : err({ code: "internal" });
  } catch {
    return err(storageUnavailable());
  }
}

export async function writeMarker(bucket: R2Bucket, marker: SessionMarker): Promise<Result<void, Problem>> {
  try {
    await bucket.put(markerKey(marker), JSON.stringify(marker), { httpMetadata: { contentType: MEDIA_TYPE } });
    return ok(undefined);
  } catch {
    return err(storageUnavailable());
  }
}

function markerKey(marker: SessionMarker): string {
  return sessionMarkerKey({ tenantId: marker.tenant_id, userId: marker.user_id, sessionId: marker.session_id });
}
