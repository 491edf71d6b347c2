import { ok, type Result } from "../../base/result.ts";
import { returnableRowSchema, selectReturnable } from "../../db/queries/returned-texts.ts";
import type { Sql, SqlError } from "../../db/sql.ts";
import { normalisedHash } from "../../duplicates/sketch.ts";
import { findReturned, lookupTexts } from "../../gate/returned-text.ts";
import { unwrapReturned } from "../../gate/unwrap-returned.ts";
import type { DuplicateDocument, SketchedDocument } from "./find-stored-duplicates.ts";
import { readStoredTexts } from "./read-stored-texts.ts";

/** Tiers that a stream writes: what is read aloud into a conversation comes back through these. */
const STREAM_TIERS: ReadonlySet<string> = new Set(["event", "summary"]);

/**
 * Loop guard: events and summaries that consist of whole stored texts of their user or tenant, as a search returns short ones, are linked and
 * not stored again. A query where a range has such inputs, and another one where passages are found.
 */
export async function findReturnedTexts(
  context: { readonly sql: Sql },
  tenantId: string,
  documents: readonly SketchedDocument[],
): Promise<Result<readonly DuplicateDocument[], SqlError>> {
  const probes = documents.flatMap((document) => {
    if (!STREAM_TIERS.has(document.document.tier)) return [];
    const text = document.document.text ?? "";
    const mayBeEvent = unwrapReturned(text).wrapping !== "none";
    return lookupTexts(text).map((passage) => ({
      document,
      documentUid: document.documentUid,
      userId: document.document.user_id,
      normalisedHash: normalisedHash(passage),
      mayBeEvent,
    }));
  });
  if (probes.length === 0) return ok([]);
  const scope = { tenantId, userId: "*" };
  const rows = await context.sql.transaction(scope, [selectReturnable(tenantId, probes)], { readOnly: true });
  if (!rows.ok) return rows;
  const found = (rows.value[0] ?? []).map((row) => returnableRowSchema.parse(row));
  const texts = await readStoredTexts(context.sql, tenantId, found);
  if (!texts.ok) return texts;
  const byDocument = Map.groupBy(found, (row) => probes[row.probe]?.document);
  return ok(
    documents.flatMap((document) => {
      const originals = byDocument.get(document) ?? [];
      const stored = originals.map((row) => ({ id: row.document_uid, text: texts.value.get(row.document_uid) ?? "" }));
      const returned = stored.length === 0 ? undefined : findReturned(document.document.text ?? "", stored);
      const original = originals.find((row) => row.document_uid === returned?.ids[0]);
      if (original === undefined) return [];
      return [
        {
          ...document,
          originalUid: original.document_uid,
          originalId: original.document_id,
          originalHash: original.normalised_hash,
          kind: "returned" as const,
          similarity: 1,
        },
      ];
    }),
  );
}
