import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { documentUid, versionKey } from "../../base/document-uid.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Tier } from "../../contract/scope.ts";
import { deleteSignatures } from "../../db/queries/duplicates.ts";
import {
  deleteChunksOfDocuments,
  nameTombstones,
  type Tombstones,
  upsertTombstones,
} from "../../db/queries/erase-document.ts";
import { holdErasures } from "../../db/queries/user-erasures.ts";
import type { Row, Sql, SqlError } from "../../db/sql.ts";
import { recordDeletion } from "./deletion-record.ts";
import { problemOfSql } from "../problem-of.ts";

export interface EraseContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly newUlid: () => string;
}

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
 * comes later. A record in R2 is written first, by which they stay deleted when the database is restored from before. Deleting again is harmless. A caller
 * names as many as one transaction takes. Errors: `storage_unavailable`, nothing changed.
 */
export async function eraseDocuments(
  context: EraseContext,
  { tenantId, userId, documents, deletionId }: DocumentsToErase,
): Promise<Result<ErasedDocuments, Problem>> {
  const version = versionKey(deletionId, 0);
  const named = documents.map((each) => ({ ...each, documentUid: documentUid({ tenantId, userId, ...each }) }));
  const documentUids = named.map((each) => each.documentUid);
  const recorded = await recordDeletion(context, { tenantId, documentUids, deletedBefore: version });
  if (!recorded.ok) return recorded;
  const tombstones = { tenantId, userId, documents: named, versionKey: version, batchTag: deletionId };
  const rows = await bury(context.sql, tombstones);
  if (!rows.ok) return err(problemOfSql(rows.error));
  const existed = (rows.value[1] ?? []).map((row) => tombstoneRowSchema.parse(row).existed);
  return ok({
    existedCount: existed.filter(Boolean).length,
    chunkCount: chunkCountRowSchema.parse(rows.value[2]?.[0]).chunk_count,
  });
}

/** SQL state of a row that row-level security keeps from being written. */
const FORBIDDEN = "42501";

/** A tombstone that a restore left is nobody's, so that its user may not write it until it has its names. */
async function bury(sql: Sql, tombstones: Tombstones): Promise<Result<readonly (readonly Row[])[], SqlError>> {
  const { tenantId, userId, documents, versionKey: version } = tombstones;
  const deleted = documents.map(({ documentUid: uid }) => ({ documentUid: uid, versionKey: version }));
  const statements = [
    holdErasures(tenantId, [userId]),
    upsertTombstones(tombstones),
    deleteChunksOfDocuments(
      tenantId,
      deleted.map((each) => each.documentUid),
    ),
    ...deleteSignatures(tenantId, deleted),
  ];
  const rows = await sql.transaction({ tenantId, userId }, statements);
  if (rows.ok || rows.error.sqlState !== FORBIDDEN) return rows;
  const naming = await sql.transaction({ tenantId, userId: "*" }, [nameTombstones(tombstones)]);
  return naming.ok ? sql.transaction({ tenantId, userId }, statements) : naming;
}
