import { ok, type Result } from "../../base/result.ts";
import { documentChunkRowSchema, selectDocumentChunks } from "../../db/queries/duplicates.ts";
import type { Sql, SqlError } from "../../db/sql.ts";

/** UTF-16 units of stored texts that one range reads to compare with. */
const COMPARED_CHARACTERS_MAX = 4_000_000;

/** Texts of stored documents, put together from their chunks; what lies between chunks is white space. As many as the bound allows, in order. */
export async function readStoredTexts(
  sql: Sql,
  tenantId: string,
  documents: readonly { readonly document_uid: string; readonly character_count: number }[],
): Promise<Result<ReadonlyMap<string, string>, SqlError>> {
  const wanted = new Set<string>();
  let characters = 0;
  for (const document of documents) {
    characters += wanted.has(document.document_uid) ? 0 : document.character_count;
    if (characters > COMPARED_CHARACTERS_MAX) break;
    wanted.add(document.document_uid);
  }
  const texts = new Map<string, string>();
  if (wanted.size === 0) return ok(texts);
  const rows = await sql.transaction({ tenantId, userId: "*" }, [selectDocumentChunks(tenantId, [...wanted])], {
    readOnly: true,
  });
  if (!rows.ok) return rows;
  const ends = new Map<string, number>();
  for (const each of rows.value[0] ?? []) {
    const { document_uid: uid, start_offset: start, end_offset: end, text } = documentChunkRowSchema.parse(each);
    const before = ends.get(uid) ?? 0;
    const gap = start > before ? " " : "";
    texts.set(uid, `${texts.get(uid) ?? ""}${gap}${text.slice(Math.max(0, before - start))}`);
    ends.set(uid, Math.max(before, end));
  }
  return ok(texts);
}
