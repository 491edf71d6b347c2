import { z } from "zod";
import type { Scope, Statement } from "../sql.ts";
import { validCondition } from "./search-parts.ts";
import { Parameters } from "./search-sql.ts";

export interface NeighbourSearch {
  readonly scope: Scope;
  readonly modelId: number;
  /** Of events; as many rows at most come back. */
  readonly documentUids: readonly string[];
  readonly asOf: string | undefined;
}

/** The first chunk of each of these events that the scope may see, by primary keys. Order is not promised. */
export function selectNeighbours({ scope, modelId, documentUids, asOf }: NeighbourSearch): Statement {
  const parameters = new Parameters();
  const text = `select e.tenant_id, e.user_id, e.document_uid, e.text, (extract(epoch from e.occurred_at) * 1000)::float8 as occurred_at_ms,
      d.document_id, d.metadata, d.chunk_count
    from doc_embeddings e join documents d on d.tenant_id = e.tenant_id and d.document_uid = e.document_uid
    where e.tenant_id = ${parameters.add(scope.tenantId, "text")} and e.model_id = ${parameters.add(modelId, "int")}
      and e.document_uid = any(${parameters.add(documentUids, "uuid[]")}) and e.chunk_index = 0 and e.tier = 'event'
      and e.user_id = any(${parameters.add(["", scope.userId], "text[]")}) and ${validCondition(asOf, parameters)}`;
  return { text, params: parameters.values };
}

export const neighbourRowSchema = z.object({
  tenant_id: z.string(),
  user_id: z.string(),
  document_uid: z.string(),
  text: z.string(),
  occurred_at_ms: z.number().nullable(),
  document_id: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  chunk_count: z.int(),
});
export type NeighbourRow = z.infer<typeof neighbourRowSchema>;
