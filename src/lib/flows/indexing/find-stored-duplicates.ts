import { documentUid } from "../../base/document-uid.ts";
import { hexOf } from "../../base/bytes.ts";
import { ok, type Result } from "../../base/result.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import {
  duplicateCandidateRowSchema,
  selectDuplicateCandidates,
  type DuplicateCandidateRow,
} from "../../db/queries/duplicates.ts";
import type { Sql, SqlError } from "../../db/sql.ts";
import { mayBeDuplicates, type DuplicateContext } from "../../duplicates/duplicate-scope.ts";
import { CANDIDATE_JACCARD_MIN, CANDIDATES_MAX } from "../../duplicates/find-duplicates.ts";
import { judgePair } from "../../duplicates/judge-pair.ts";
import { estimatedJaccard } from "../../duplicates/min-hash.ts";
import { SKETCH_VERSION, sketchOf, type TextSketch } from "../../duplicates/sketch.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import type { DuplicateDocument, SketchedDocument } from "./duplicate-document.ts";
import { findReturnedTexts } from "./find-returned-texts.ts";
import type { PreparedDocument } from "./prepare-document.ts";
import { readStoredTexts } from "./read-stored-texts.ts";

interface Sorted {
  readonly duplicates: readonly DuplicateDocument[];
  readonly fresh: readonly SketchedDocument[];
}

/** Documents of one band that are looked at. */
const BAND_ROWS_MAX = 64;
/** A duplicate shares 0.3 of the earlier text at least (see `judgePair`), so a much longer one is no original. */
const ORIGINAL_LENGTH_FACTOR_MAX = 4;
const ORIGINAL_LENGTH_SLACK = 400;
/**
 * Parts the documents of a range into those that the store, or an earlier input of their request, holds already, and the rest. One
 * query, and a second one where signatures say that texts are worth comparing.
 */
export async function findStoredDuplicates(
  context: { readonly sql: Sql },
  head: WalHead,
  documents: readonly PreparedDocument[],
): Promise<Result<Sorted, SqlError>> {
  const known = documents.flatMap((document) => duplicateByEdge(head.tenant_id, document) ?? []);
  const rest = documents.filter(({ document }) => !known.some((duplicate) => duplicate.document === document));
  if (head.duplicates === undefined || rest.length === 0)
    return ok({ duplicates: known, fresh: rest.map((document) => ({ ...document, sketch: undefined })) });
  const sketched = rest.map((document) => ({ ...document, sketch: sketchOf(document.document.text ?? "") }));
  const candidates = await readCandidates(context, head, sketched);
  if (!candidates.ok) return candidates;
  const texts = await readStoredTexts(context.sql, head.tenant_id, [...candidates.value.values()].flat());
  if (!texts.ok) return texts;
  const duplicates = sketched.flatMap(
    (document, probe) =>
      firstDuplicate(head, document, { rows: candidates.value.get(probe) ?? [], texts: texts.value }) ?? [],
  );
  const unknown = sketched.filter(({ document }) => !duplicates.some((duplicate) => duplicate.document === document));
  const returned = await findReturnedTexts(context, head.tenant_id, unknown);
  if (!returned.ok) return returned;
  const fresh = unknown.filter(({ document }) => !returned.value.some((each) => each.document === document));
  return ok({ duplicates: [...known, ...duplicates, ...returned.value], fresh });
}

function duplicateByEdge(tenantId: string, prepared: PreparedDocument): DuplicateDocument | undefined {
  const { document } = prepared;
  const original = document.curation?.duplicate_of;
  if (document.verdict !== "duplicate" || original === undefined) return undefined;
  const { user_id: userId, tier } = document;
  const [reason] = document.reasons;
  return {
    ...prepared,
    originalUid: documentUid({ tenantId, userId, tier, documentId: original.document_id }),
    originalId: original.document_id,
    originalHash: original.normalised_hash,
    kind: reason?.code === "duplicate_exact" ? "exact" : "near",
    similarity: reason?.measure ?? 1,
  };
}

/** Who said a text, where its metadata says so. */
export function speakerOf(document: WalDocument): string {
  const { speaker } = document.metadata;
  return typeof speaker === "string" ? speaker : "";
}

/** What decides, besides its text, whose duplicate an input can be. */
export function duplicateContextOf(head: WalHead, document: WalDocument): DuplicateContext {
  return {
    tenantId: head.tenant_id,
    userId: document.user_id,
    tier: document.tier,
    speaker: speakerOf(document),
    occurredAtMs: document.occurred_at_ms,
  };
}

/** The time within which an original must lie; null where time does not matter. An event without a time is no duplicate at all. */
function timeOf(context: DuplicateContext): string | null {
  const timeless = { ...context, occurredAtMs: null };
  return mayBeDuplicates(timeless, timeless) ? null : new Date(context.occurredAtMs ?? 0).toISOString();
}

type Sketched = PreparedDocument & { readonly sketch: TextSketch };

async function readCandidates(
  context: { readonly sql: Sql },
  head: WalHead,
  documents: readonly Sketched[],
): Promise<Result<ReadonlyMap<number, readonly DuplicateCandidateRow[]>, SqlError>> {
  const probes = documents.map(({ documentUid: uid, document, sketch }) => ({
    documentUid: uid,
    userId: document.user_id,
    tier: document.tier,
    normalisedHash: sketch.normalisedHash,
    occurredAt: timeOf(duplicateContextOf(head, document)),
    bands: head.duplicates === "near" ? sketch.bands : [],
  }));
  const limits = { sketchVersion: SKETCH_VERSION, bandRowsMax: BAND_ROWS_MAX, candidatesMax: CANDIDATES_MAX };
  const rows = await context.sql.transaction(
    { tenantId: head.tenant_id, userId: "*" },
    [selectDuplicateCandidates(head.tenant_id, probes, limits)],
    { readOnly: true },
  );
  if (!rows.ok) return rows;
  const parsed = (rows.value[0] ?? []).map((row) => duplicateCandidateRowSchema.parse(row));
  const worth = parsed.filter((row) => {
    const document = documents[row.probe];
    return document !== undefined && isWorthComparing(head, document, row);
  });
  return ok(Map.groupBy(worth, (row) => row.probe));
}

function isWorthComparing(
  head: WalHead,
  { document, sketch, characterCount }: Sketched,
  row: DuplicateCandidateRow,
): boolean {
  const own = duplicateContextOf(head, document);
  if (!mayBeDuplicates(own, { ...own, speaker: row.speaker, occurredAtMs: row.occurred_at_ms })) return false;
  if (row.normalised_hash === sketch.normalisedHash) return true;
  if (row.character_count > characterCount * ORIGINAL_LENGTH_FACTOR_MAX + ORIGINAL_LENGTH_SLACK) return false;
  return estimatedJaccard(sketch.signature, signatureOfHex(row.signature)) >= CANDIDATE_JACCARD_MIN;
}

interface Candidates {
  readonly rows: readonly DuplicateCandidateRow[];
  readonly texts: ReadonlyMap<string, string>;
}

function firstDuplicate(
  head: WalHead,
  { sketch, ...document }: Sketched,
  { rows, texts }: Candidates,
): DuplicateDocument | undefined {
  const found = (row: DuplicateCandidateRow, kind: "exact" | "near", similarity: number): DuplicateDocument => ({
    ...document,
    originalUid: row.document_uid,
    originalId: row.document_id,
    originalHash: row.normalised_hash,
    kind,
    similarity,
  });
  const exact = rows.find((row) => row.normalised_hash === sketch.normalisedHash);
  if (exact !== undefined) return found(exact, "exact", 1);
  if (head.duplicates !== "near") return undefined;
  for (const row of rows) {
    const text = texts.get(row.document_uid);
    if (text === undefined) continue;
    const verdict = judgePair(document.document.text ?? "", text);
    if (verdict.isDuplicate) return found(row, "near", verdict.similarity);
  }
  return undefined;
}

/** 96 minima as 8 hexadecimal digits each, as they are stored. */
export function signatureHex(signature: Uint32Array): string {
  const bytes = new Uint8Array(signature.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, minimum] of signature.entries()) view.setUint32(index * 4, minimum);
  return hexOf(bytes);
}

function signatureOfHex(hex: string): Uint32Array {
  return Uint32Array.from({ length: Math.floor(hex.length / 8) }, (_, index) =>
    Number.parseInt(hex.slice(index * 8, index * 8 + 8), 16),
  );
}
