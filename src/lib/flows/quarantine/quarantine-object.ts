/** Where the text of quarantined inputs lies: one object a request, one range an input, and nowhere else. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { hexOf, utf8Bytes } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { createObject, CREATE_OPTIONS } from "../../bucket/create-object.ts";
import { rewriteObject } from "../../wal/rewrite-object.ts";
import { userMarks } from "../../wal/user-marks.ts";
import { readWalRange } from "../../wal/read-wal-range.ts";
import type { DocumentRange } from "../../wal/split-ranges.ts";
import { encodeWal, type WalHead } from "../../wal/wal-codec.ts";
import { WAL_LIMITS } from "../../wal/wal-limits.ts";
import { storageUnavailable } from "../problem-of.ts";

const MEDIA_TYPE = "application/vnd.jeeves.wal";

/** R2 key of the quarantined inputs of one request. */
export function quarantineKey(tenantId: string, walId: string): string {
  return `quarantine/${tenantId}/${walId}.mpz`;
}

interface Holding {
  readonly head: WalHead;
  readonly documents: readonly WalDocument[];
  /** The request may have been stored before: then what lies under the key is as good. */
  readonly replayed: boolean;
}

/**
 * Writes the quarantined inputs of a request to their object, before anything else of the request has an effect, and returns all inputs as
 * they may go on: the quarantined ones without text, title and metadata.
 */
export async function holdBack(
  bucket: R2Bucket,
  { head, documents, replayed }: Holding,
): Promise<Result<readonly WalDocument[], Problem>> {
  const held = documents.filter((document) => document.verdict === "quarantined");
  if (held.length === 0) return ok(documents);
  const encoded = encodeWal(head, held, oneRangeEach(held));
  const object = {
    key: quarantineKey(head.tenant_id, head.wal_id),
    bytes: encoded.bytes,
    contentHash: hexOf(encoded.digest),
    metadata: userMarks(
      head.tenant_id,
      held.map((document) => document.user_id),
    ),
    mediaType: MEDIA_TYPE,
  };
  const created = await createObject(bucket, object, CREATE_OPTIONS);
  if (!created.ok && !(replayed && created.error.code === "object_differs")) {
    return err(created.error.code === "object_differs" ? { code: "internal" } : storageUnavailable());
  }
  return ok(documents.map((document) => withoutText(document, held.indexOf(document))));
}

function oneRangeEach(documents: readonly unknown[]): DocumentRange[] {
  return documents.map((_, documentStart) => ({ documentStart, documentCount: 1 }));
}

function withoutText(document: WalDocument, rangeIndex: number): WalDocument {
  if (rangeIndex < 0) return document;
  const held = { range_index: rangeIndex, size_bytes: utf8Bytes(document.text ?? "").length };
  return { ...document, text: null, title: "", metadata: {}, curation: { ...document.curation, held } };
}

/** Where one quarantined input lies. */
export interface HeldPlace {
  readonly objectKey: string;
  readonly rangeIndex: number;
  readonly documentIndex: number;
}

/** One quarantined input with its text, or undefined where the text was removed. */
export async function readHeld(
  bucket: R2Bucket,
  place: HeldPlace,
): Promise<Result<{ readonly head: WalHead; readonly document: WalDocument } | undefined, Problem>> {
  const range = await readWalRange(bucket, place.objectKey, place.rangeIndex, WAL_LIMITS);
  if (!range.ok) {
    if (range.error.code === "wal_missing") return ok(undefined);
    return err(range.error.code === "storage_unavailable" ? storageUnavailable() : { code: "internal" });
  }
  const document = range.value.documents[0];
  if (document === undefined || document.document_index !== place.documentIndex) return err({ code: "internal" });
  return ok(document.text === null ? undefined : { head: range.value.head, document });
}

/**
 * Writes the object anew without the text of the named inputs. The object itself stays, so that a request that is sent again under its
 * Idempotency-Key finds it and does not bring the text back. Repeating it is harmless.
 */
export async function removeHeldTexts(
  bucket: R2Bucket,
  objectKey: string,
  documentIndexes: ReadonlySet<number>,
): Promise<Result<null, Problem>> {
  const rewritten = await rewriteObject(bucket, objectKey, (document) =>
    documentIndexes.has(document.document_index) && document.text !== null
      ? { ...document, text: null, title: "", metadata: {} }
      : document,
  );
  if (rewritten.ok) return ok(null);
  return err(rewritten.error.code === "storage_unavailable" ? storageUnavailable() : { code: "internal" });
}
