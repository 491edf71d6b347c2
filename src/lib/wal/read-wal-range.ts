/** Reading WAL objects from R2 by range, so that a large request never lies in memory as a whole. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../base/result.ts";
import type { WalDocument } from "../contract/wal-record.ts";
import { decodeBlock, openWal, type OpenedWal, type WalHead } from "./wal-codec.ts";
import type { WalError } from "./wal-error.ts";
import { blockOffset, FIXED_BYTES, RANGE_ENTRY_BYTES, type WalLimits } from "./wal-layout.ts";

/** `wal_missing` is permanent only once the object is known to have been deleted; `storage_unavailable` is worth a retry. */
export type WalReadError =
  | WalError
  | { readonly code: "wal_missing" }
  | { readonly code: "storage_unavailable"; readonly cause: unknown };

/** Bytes fetched first: header and range table of any object, and all of most objects. */
function firstReadBytes(limits: WalLimits): number {
  return Math.max(128 * 1024, FIXED_BYTES + limits.rangesMax * RANGE_ENTRY_BYTES + limits.headBytesMax);
}

export interface WalRange {
  readonly head: WalHead;
  readonly documents: WalDocument[];
  readonly rangeCount: number;
}

/** One range of the object under `key`: one or two reads, at most `firstReadBytes` plus one block in memory. */
export async function readWalRange(
  bucket: R2Bucket,
  key: string,
  rangeIndex: number,
  limits: WalLimits,
): Promise<Result<WalRange, WalReadError>> {
  const start = await readStart(bucket, key, limits);
  if (!start.ok) return start;
  const { layout, head } = start.value.opened;
  const entry = layout.ranges[rangeIndex];
  if (entry === undefined) return err({ code: "wal_range_unknown", rangeIndex, rangeCount: layout.ranges.length });
  const offset = blockOffset(layout, rangeIndex);
  const end = offset + entry.storedBytes;
  const block =
    end <= start.value.bytes.length
      ? ok(start.value.bytes.subarray(offset, end))
      : await readBlock(bucket, key, { offset, length: entry.storedBytes, etag: start.value.etag });
  if (!block.ok) return block;
  const documents = decodeBlock(block.value, entry);
  return documents.ok ? ok({ head, documents: documents.value, rangeCount: layout.ranges.length }) : documents;
}

/** Head and ranges of the object under `key`, without its documents: what a sweeper needs to send it again. */
export async function readWalHead(
  bucket: R2Bucket,
  key: string,
  limits: WalLimits,
): Promise<Result<OpenedWal, WalReadError>> {
  const start = await readStart(bucket, key, limits);
  return start.ok ? ok(start.value.opened) : start;
}

async function readStart(
  bucket: R2Bucket,
  key: string,
  limits: WalLimits,
): Promise<Result<{ bytes: Uint8Array<ArrayBuffer>; etag: string; opened: OpenedWal }, WalReadError>> {
  try {
    const object = await bucket.get(key, { range: { offset: 0, length: firstReadBytes(limits) } });
    if (object === null) return err({ code: "wal_missing" });
    const bytes = new Uint8Array(await object.arrayBuffer());
    const opened = openWal(bytes, limits);
    return opened.ok ? ok({ bytes, etag: object.etag, opened: opened.value }) : opened;
  } catch (cause) {
    return err({ code: "storage_unavailable", cause });
  }
}

/** An erasure may write the object anew between the two reads: then the read begins again, later. */
async function readBlock(
  bucket: R2Bucket,
  key: string,
  { etag, ...range }: { readonly offset: number; readonly length: number; readonly etag: string },
): Promise<Result<Uint8Array<ArrayBuffer>, WalReadError>> {
  try {
    const object = await bucket.get(key, { range, onlyIf: { etagMatches: etag } });
    if (object === null) return err({ code: "wal_missing" });
    // Not `"body" in object`: outside workerd, Miniflare's binding takes that for the reading itself.
    if (!("arrayBuffer" in object))
      return err({ code: "storage_unavailable", cause: "the object changed between two reads" });
    return ok(new Uint8Array(await object.arrayBuffer()));
  } catch (cause) {
    return err({ code: "storage_unavailable", cause });
  }
}
