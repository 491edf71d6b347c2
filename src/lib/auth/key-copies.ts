/** Last known good copies of key records in KV, for the time when Postgres cannot be asked. Never asked while it can. */
import type { KVNamespace } from "@cloudflare/workers-types";
import { z } from "zod";
import { DAY_MS, HOUR_MS } from "../base/durations.ts";
import { keyRecordSchema, type KeyRecord } from "../contract/key-record.ts";

const copySchema = z.strictObject({ version: z.literal(1), record: keyRecordSchema, checked_at_ms: z.number() });
export type KeyCopy = z.infer<typeof copySchema>;

/** A copy older than this is not believed, milliseconds. */
export const COPY_AGE_MS_MAX = DAY_MS;
/** A copy younger than this is not written again unless it changed: KV takes one write a second and key, and bills each. */
export const COPY_RENEW_MS = 6 * HOUR_MS;
/** Seconds after which KV drops a copy: twice the age at which it stops being believed. */
const COPY_TTL_SECONDS = (2 * COPY_AGE_MS_MAX) / 1000;

/** The copy of the key with this hash, or `undefined` when there is none that may be believed. Throws when KV fails. */
export async function readKeyCopy(store: KVNamespace, keyHash: string, nowMs: number): Promise<KeyCopy | undefined> {
  const copy = copySchema.safeParse(await store.get(copyName(keyHash), "json"));
  return copy.success && nowMs - copy.data.checked_at_ms < COPY_AGE_MS_MAX ? copy.data : undefined;
}

/** Writes the copy if there is none, another one, or an old one. A revoked copy is final. Throws when KV fails. */
export async function refreshKeyCopy(store: KVNamespace, keyHash: string, copy: KeyCopy): Promise<void> {
  const present = await readKeyCopy(store, keyHash, copy.checked_at_ms);
  if (present !== undefined) {
    const same = JSON.stringify(present.record) === JSON.stringify(copy.record);
    if (same && copy.checked_at_ms - present.checked_at_ms < COPY_RENEW_MS) return;
    if (present.record.revoked_at_ms !== null && copy.record.revoked_at_ms === null) return;
  }
  await writeKeyCopy(store, keyHash, copy.record, copy.checked_at_ms);
}

/** Writes a copy whatever lies there: used by a revocation, which has to be known when Postgres is down. Throws when KV fails. */
export async function writeKeyCopy(
  store: KVNamespace,
  keyHash: string,
  record: KeyRecord,
  checkedAtMs: number,
): Promise<void> {
  const copy: KeyCopy = { version: 1, record, checked_at_ms: checkedAtMs };
  await store.put(copyName(keyHash), JSON.stringify(copy), { expirationTtl: COPY_TTL_SECONDS });
}

function copyName(keyHash: string): string {
  return `key/${keyHash}`;
}
