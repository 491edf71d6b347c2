import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../base/result.ts";
import type { WalDocument } from "../contract/wal-record.ts";
import { readWalHead, readWalRange, type WalReadError } from "./read-wal-range.ts";
import type { WalHead } from "./wal-codec.ts";
import type { WalLimits } from "./wal-layout.ts";

/** One input of the object under `key`, by its place in the request: two or three reads. */
export async function readWalDocument(
  bucket: R2Bucket,
  place: { readonly key: string; readonly documentIndex: number },
  limits: WalLimits,
): Promise<Result<{ readonly head: WalHead; readonly document: WalDocument }, WalReadError>> {
  const opened = await readWalHead(bucket, place.key, limits);
  if (!opened.ok) return opened;
  const rangeIndex = opened.value.layout.ranges.findIndex(
    ({ documentStart, documentCount }) =>
      place.documentIndex >= documentStart && place.documentIndex < documentStart + documentCount,
  );
  const range = await readWalRange(bucket, place.key, rangeIndex, limits);
  if (!range.ok) return range;
  const document = range.value.documents.find((each) => each.document_index === place.documentIndex);
  return document === undefined ? err({ code: "wal_invalid" }) : ok({ head: range.value.head, document });
}
