import { z } from "zod";
import { documentUid, versionKey } from "../base/document-uid.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Principal } from "../contract/principal.ts";
import type { Problem } from "../contract/problem.ts";
import type { Tier } from "../contract/scope.ts";
import { deleteChunksOfDocument, upsertTombstone } from "../db/queries/erase-document.ts";
import { deleteSignatures } from "../db/queries/duplicates.ts";
import type { Sql } from "../db/sql.ts";
import { problemOfSql } from "./problem-of.ts";

export interface EraseContext {
  readonly sql: Sql;
  readonly ulid: () => string;
}

export interface DocumentName {
  readonly documentId: string;
  readonly tier: Tier;
  /** '' for a document shared by the tenant. */
  readonly userId: string;
}

const tombstoneRowSchema = z.object({ existed: z.boolean() });
const chunkCountRowSchema = z.object({ chunk_count: z.coerce.number().int() });

/**
 * Deletes a document's chunks and leaves a tombstone, in one transaction: versions accepted before stay deleted even if
 * their message comes later. Deleting again is harmless. Errors: `user_forbidden` for another user's document.
 */
export async function eraseDocument(
  context: EraseContext,
  principal: Principal,
  name: DocumentName,
): Promise<Result<{ readonly existed: boolean; readonly deleted_chunk_count: number }, Problem>> {
  if (principal.userId !== "" && principal.userId !== name.userId) return err({ code: "user_forbidden" });
  const { tenantId } = principal;
  const uid = documentUid({ tenantId, ...name });
  const deletionId = context.ulid();
  const rows = await context.sql.transaction({ tenantId, userId: name.userId }, [
    upsertTombstone({
      tenantId,
      documentUid: uid,
      userId: name.userId,
      documentId: name.documentId,
      tier: name.tier,
      versionKey: versionKey(deletionId, 0),
      batchTag: deletionId,
    }),
    deleteChunksOfDocument(tenantId, uid),
    ...deleteSignatures(tenantId, [{ documentUid: uid, versionKey: versionKey(deletionId, 0) }]),
  ]);
  if (!rows.ok) return err(problemOfSql(rows.error));
  const tombstone = rows.value[0]?.[0];
  const deleted = chunkCountRowSchema.parse(rows.value[1]?.[0]);
  return ok({
    existed: tombstone !== undefined && tombstoneRowSchema.parse(tombstone).existed,
    deleted_chunk_count: deleted.chunk_count,
  });
}
