import { ok, type Result } from "../../base/result.ts";
import {
  type PassageProbe,
  returnedChunkRowSchema,
  returnedDocumentRowSchema,
  selectReturnedChunks,
  selectReturnedDocuments,
} from "../../db/queries/returned-texts.ts";
import type { Sql, SqlError } from "../../db/sql.ts";
import { hashPrefix, normalisedHash } from "../../duplicates/sketch.ts";
import { findReturned, lookupTexts } from "../../gate/returned-text.ts";
import { unwrapReturned } from "../../gate/unwrap-returned.ts";
import type { DuplicateDocument, SketchedDocument } from "./duplicate-document.ts";
import { readStoredTexts } from "./read-stored-texts.ts";

/** Tiers that a stream writes: what is read aloud into a conversation comes back through these. What others hold was written down on purpose. */
const STREAM_TIERS: ReadonlySet<string> = new Set(["event", "summary"]);
/** Passages that one range looks up: an index access each, about 30 µs. Inputs beyond them are kept. */
const PROBES_MAX = 2_000;

interface DocumentProbe extends PassageProbe {
  readonly document: SketchedDocument;
}

/** A stored text that a passage is equal to: a chunk, or a whole document. */
interface Original {
  readonly probe: number;
  readonly document_uid: string;
  readonly document_id: string;
  /** Of the whole document. */
  readonly normalised_hash: string;
  readonly text: string;
}

/**
 * Loop guard: events and summaries that consist of chunks, or of whole texts, of their user or tenant, as a search returns them, are linked
 * to the document that most of their words are of, and not stored again. One round trip where a range has such inputs, and another one
 * where passages are found that are no single chunk.
 */
export async function findReturnedTexts(
  context: { readonly sql: Sql },
  tenantId: string,
  documents: readonly SketchedDocument[],
): Promise<Result<readonly DuplicateDocument[], SqlError>> {
  const probes = documents.flatMap(probesOf).slice(0, PROBES_MAX);
  if (probes.length === 0) return ok([]);
  const originals = await readOriginals(context.sql, tenantId, probes);
  if (!originals.ok) return originals;
  const byDocument = Map.groupBy(originals.value, (original) => probes[original.probe]?.document);
  return ok(documents.flatMap((document) => returnedOf(document, byDocument.get(document) ?? []) ?? []));
}

function probesOf(document: SketchedDocument): DocumentProbe[] {
  const { tier, text, user_id: userId } = document.document;
  if (!STREAM_TIERS.has(tier) || text === null) return [];
  const mayBeEvent = unwrapReturned(text).wrapping !== "none";
  return lookupTexts(text).map((passage) => {
    const hash = normalisedHash(passage);
    const { documentUid } = document;
    return { document, documentUid, userId, normalisedHash: hash, textHash: hashPrefix(hash), mayBeEvent };
  });
}

async function readOriginals(
  sql: Sql,
  tenantId: string,
  probes: readonly DocumentProbe[],
): Promise<Result<readonly Original[], SqlError>> {
  const rows = await sql.transaction(
    { tenantId, userId: "*" },
    [selectReturnedChunks(tenantId, probes), selectReturnedDocuments(tenantId, probes)],
    { readOnly: true },
  );
  if (!rows.ok) return rows;
  const chunks = (rows.value[0] ?? []).map((row) => returnedChunkRowSchema.parse(row));
  const found = new Set(chunks.map((chunk) => chunk.probe));
  const whole = (rows.value[1] ?? [])
    .map((row) => returnedDocumentRowSchema.parse(row))
    .filter((document) => !found.has(document.probe));
  const texts = await readStoredTexts(sql, tenantId, whole);
  if (!texts.ok) return texts;
  return ok([...chunks, ...whole.map((row) => ({ ...row, text: texts.value.get(row.document_uid) ?? "" }))]);
}

function returnedOf(document: SketchedDocument, originals: readonly Original[]): DuplicateDocument | undefined {
  if (originals.length === 0) return undefined;
  const stored = originals.map((original) => ({ id: original.document_uid, text: original.text }));
  const returned = findReturned(document.document.text ?? "", stored);
  const original = originals.find((each) => each.document_uid === returned?.ids[0]);
  if (original === undefined) return undefined;
  return {
    ...document,
    originalUid: original.document_uid,
    originalId: original.document_id,
    originalHash: original.normalised_hash,
    kind: "returned",
    similarity: 1,
  };
}
