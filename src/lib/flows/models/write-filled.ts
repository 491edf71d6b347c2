import { err, ok, type Result } from "../../base/result.ts";
import { insertChunks } from "../../db/queries/write-chunks.ts";
import {
  addProgress,
  deleteRefusals,
  holdDocuments,
  holdFilledModel,
  holdReembedding,
  insertRefusals,
  type RefusalRow,
} from "../../db/queries/reembed.ts";
import { lockSeries } from "../../db/queries/series.ts";
import type { Sql, SqlErrorCode, Statement } from "../../db/sql.ts";
import { chunkRowsOf, isPoison } from "../indexing/chunk-rows.ts";
import type { EmbeddedChunks } from "../indexing/embed-documents.ts";
import type { FillError, FillTally, FillTarget, ReadableDocument, RefusedDocument } from "./filling.ts";

type EmbeddedDocument = ReadableDocument & EmbeddedChunks;

interface FilledUnit {
  readonly embedded: readonly EmbeddedDocument[];
  readonly refused: readonly RefusedDocument[];
  readonly embedMs: number;
}

/** Stands for a whole document in place of the index of a chunk. */
const WHOLE_DOCUMENT = -1;
/** Another run wrote the same, or a vector that was known is gone: the documents are looked at anew later. */
const CHANGED_CODES: ReadonlySet<SqlErrorCode> = new Set(["unique_violation", "constraint_violation"]);

/**
 * Writes vectors, refusals and counts of one unit in one transaction. What became of a document since it was read is settled there: one with another
 * generation, or deleted, gets nothing, and one that ends gets chunks that have ended.
 */
export async function writeFilled(
  sql: Sql,
  target: FillTarget,
  unit: FilledUnit,
): Promise<Result<Omit<FillTally, "embedMs">, FillError>> {
  const done = countsOf(unit);
  const written = await sql.transaction({ tenantId: target.tenantId, userId: "*" }, statementsOf(target, unit, done));
  if (written.ok) return ok(done);
  if (!CHANGED_CODES.has(written.error.code)) return err(written.error);
  const changedCount = unit.embedded.length + unit.refused.length;
  return ok({ documentCount: 0, chunkCount: 0, tokenCount: 0, refusedCount: 0, changedCount });
}

function statementsOf(
  { tenantId, model }: FillTarget,
  { embedded, refused, embedMs }: FilledUnit,
  done: Omit<FillTally, "embedMs">,
): readonly Statement[] {
  const rows = [...embedded, ...refused].map(({ row }) => row);
  const uids = rows.map((row) => row.document_uid);
  const filled = { tenantId, modelId: model.modelId };
  const series = rows.flatMap((row) => (row.series === null ? [] : [{ userId: row.user_id, series: row.series }]));
  const chunks = embedded.flatMap((document) =>
    chunkRowsOf(
      { ...document, documentUid: document.row.document_uid, version: String(document.row.generation) },
      model.storeVariant,
    ),
  );
  const refusals = [...embedded.flatMap(chunkRefusals), ...refused.map(documentRefusal)];
  return [
    holdFilledModel(model.modelId),
    holdReembedding(tenantId),
    ...(series.length === 0 ? [] : [lockSeries(tenantId, series)]),
    holdDocuments(tenantId, uids),
    deleteRefusals(filled, uids),
    ...(chunks.length === 0
      ? []
      : [insertChunks(filled, { variant: model.storeVariant, version: "generation" }, chunks)]),
    ...(refusals.length === 0 ? [] : [insertRefusals(filled, refusals)]),
    addProgress(filled, { ...done, embedMs }),
  ];
}

function chunkRefusals(document: EmbeddedDocument): readonly RefusalRow[] {
  const { document_uid: documentUid, generation } = document.row;
  return document.chunks
    .filter((chunk) => isPoison(document, chunk))
    .map(({ chunkIndex }) => ({ documentUid, generation, chunkIndex, code: "text_refused" }));
}

function documentRefusal({ row, code }: RefusedDocument): RefusalRow {
  return { documentUid: row.document_uid, generation: row.generation, chunkIndex: WHOLE_DOCUMENT, code };
}

function countsOf({ embedded, refused }: FilledUnit): Omit<FillTally, "embedMs"> {
  const tokensByHash = new Map<string, number>();
  let chunkCount = 0;
  let poisonedCount = 0;
  for (const document of embedded) {
    const good = document.chunks.filter((chunk) => !isPoison(document, chunk));
    chunkCount += good.length;
    poisonedCount += good.length < document.chunks.length ? 1 : 0;
    for (const chunk of good)
      if (document.vectorByHash.has(chunk.chunkHash)) tokensByHash.set(chunk.chunkHash, chunk.tokenCount);
  }
  return {
    documentCount: embedded.length,
    chunkCount,
    tokenCount: [...tokensByHash.values()].reduce((sum, count) => sum + count, 0),
    refusedCount: refused.length + poisonedCount,
    changedCount: 0,
  };
}
