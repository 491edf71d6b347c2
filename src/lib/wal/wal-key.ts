import { ulidDay, type Ulid } from "../base/ids.ts";

/** Where a WAL object lies: `wal/<tenant>/<yyyy-mm-dd>/<ulid>.mpz`. The day is the ulid's own, so the key follows from the id. */
export function walKey(tenantId: string, walId: Ulid): string {
  return `wal/${tenantId}/${ulidDay(walId)}/${walId}.mpz`;
}

const WAL_KEY = /^wal\/([a-z0-9][a-z0-9-]{0,47})\/(\d{4}-\d{2}-\d{2})\/([0-9A-HJKMNP-TV-Z]{26})\.mpz$/;

/** Parts of a WAL key, or `undefined` for any other key. */
export function parseWalKey(key: string): { tenantId: string; day: string; walId: Ulid } | undefined {
  const [, tenantId, day, walId] = WAL_KEY.exec(key) ?? [];
  return tenantId === undefined || day === undefined || walId === undefined ? undefined : { tenantId, day, walId };
}

/**
 * Marker of one request of a batch that a client named: `batches/<tenant>/<batch_tag>/<ulid>`, empty, with
 * `{documents}` as metadata. Lets the status of a batch count what is pending without Postgres.
 */
export function batchMarkerKey(tenantId: string, batchTag: string, walId: Ulid): string {
  return `${batchMarkerPrefix(tenantId, batchTag)}${walId}`;
}

/** Prefix under which all markers of one batch lie. */
export function batchMarkerPrefix(tenantId: string, batchTag: string): string {
  return `batches/${tenantId}/${batchTag}/`;
}
