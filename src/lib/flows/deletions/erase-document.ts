import { err, ok, type Result } from "../../base/result.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Tier } from "../../contract/scope.ts";
import { type EraseContext, eraseDocuments } from "./erase-documents.ts";

export interface DocumentName {
  readonly documentId: string;
  readonly tier: Tier;
  /** '' for a document shared by the tenant. */
  readonly userId: string;
}

/** Deletes one document, as `eraseDocuments` does. Errors: `user_forbidden` for another user's document. */
export async function eraseDocument(
  context: EraseContext,
  principal: Principal,
  { documentId, tier, userId }: DocumentName,
): Promise<Result<{ readonly existed: boolean; readonly deleted_chunk_count: number }, Problem>> {
  if (principal.userId !== "" && principal.userId !== userId) return err({ code: "user_forbidden" });
  const { tenantId } = principal;
  const documents = [{ documentId, tier }];
  const erased = await eraseDocuments(context, { tenantId, userId, documents, deletionId: context.newUlid() });
  if (!erased.ok) return erased;
  return ok({ existed: erased.value.existedCount > 0, deleted_chunk_count: erased.value.chunkCount });
}
