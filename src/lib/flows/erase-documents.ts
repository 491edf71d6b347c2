import { z } from "zod";
import { documentUid, versionKey } from "../base/document-uid.ts";
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import type { Tier } from "../contract/scope.ts";
import { deleteSignatures } from "../db/queries/duplicates.ts";
import { deleteChunksOfDocuments, upsertTombstones } from "../db/queries/erase-document.ts";
import { holdErasures } from "../db/queries/user-erasures.ts";
import type { Sql } from "../db/sql.ts";
import { problemOfSql } from "./problem-of.ts";

export interface DocumentsToErase {
  readonly tenantId: string;
  /** '' for documents shared by the tenant. */
  readonly userId: string;
  readonly documents: readonly { readonly documentId: string; readonly tier: Tier }[];
  /** A ulid of the deletion's own: versions accepted before it stay deleted. */
  readonly deletionId: string;
}

export interface ErasedDocuments {
  /** How many had a row before. */
  readonly existedCount: number;
  readonly chunkCount: number;
}

const tombstoneRowSchema = z.object({ existed: z.boolean() });
const chunkCountRowSchema = z.object({ chunk_count: z.coerce.number().int() });

/**
 * Deletes the chunks of one user's documents and leaves tombstones, in one transaction: versions accepted before stay deleted even if their message
 * comes later. Deleting again is harmless. A caller names as many as one transaction takes.
 */
export async function eraseDocuments(
  context: { readonly sql: Sql },
  { tenantId, userId, documents, deletionId }: DocumentsToErase,
): Promise<Result<ErasedDocuments, Problem>> {
  const version = versionKey(deletionId, 0);
  const named = documents.map((each) => ({ ...each, documentUid: documentUid({ tenantId, userId, ...each }) }));
  const uids = named.map((each) => each.documentUid);
  const rows = await context.sql.transaction({ tenantId, userId }, [
    holdErasures(tenantId, [userId]),
    upsertTombstones({ tenantId, userId, documents: named, versionKey: version, batchTag: deletionId }),
    deleteChunksOfDocuments(tenantId, uids),
    ...deleteSignatures(
      tenantId,
      uids.map((uid) => ({ documentUid: uid, versionKey: version })),
    ),
  ]);
  if (!rows.ok) return err(problemOfSql(rows.error));
  const existed = (rows.value[1] ?? []).map((row) => tombstoneRowSchema.parse(row).existed);
  return ok({
    existedCount: existed.filter(Boolean).length,
    chunkCount: chunkCountRowSchema.parse(rows.value[2]?.[0]).chunk_count,
  });
}
