/** What the WAL object of a request says of it: when it came, when it was durable, who asked. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { Semaphore } from "../../base/semaphore.ts";
import { readWalHead } from "../../wal/read-wal-range.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import { quarantineKey } from "../quarantine/quarantine-object.ts";
import { walKey } from "../../wal/wal-key.ts";
import { WAL_LIMITS } from "../../wal/wal-limits.ts";

export interface StoredRequestFacts {
  readonly walId: string;
  /** undefined: the object is gone, or cannot be read. */
  readonly head: WalHead | undefined;
  readonly durableAt: Date | undefined;
  readonly inputCount: number;
  readonly rangeCount: number;
  /** When the object with its quarantined texts was made, where there is one. */
  readonly heldBackAt: Date | undefined;
}

/** A Worker has six connections, and the database needs one. */
const READS_AT_ONCE_MAX = 5;

/** Reads them all. Rejects when R2 does. */
export async function readStoredRequests(
  bucket: R2Bucket,
  tenantId: string,
  walIds: readonly string[],
): Promise<readonly StoredRequestFacts[]> {
  const reads = new Semaphore(READS_AT_ONCE_MAX);
  return Promise.all(walIds.map((walId) => reads.run(() => readStoredRequest(bucket, tenantId, walId))));
}

async function readStoredRequest(bucket: R2Bucket, tenantId: string, walId: string): Promise<StoredRequestFacts> {
  const key = walKey(tenantId, walId);
  const object = await bucket.head(key);
  const held = await bucket.head(quarantineKey(tenantId, walId));
  const opened = object === null ? undefined : await readWalHead(bucket, key, WAL_LIMITS);
  const count = (name: string): number => Number(object?.customMetadata?.[name] ?? 0);
  return {
    walId,
    head: opened?.ok === true ? opened.value.head : undefined,
    durableAt: object?.uploaded,
    inputCount: count("documents"),
    rangeCount: count("ranges"),
    heldBackAt: held?.uploaded,
  };
}
