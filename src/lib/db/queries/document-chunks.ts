/**
 * Chunks of documents, of all models and generations, by the key of doc_embeddings: it begins with tenant, model and document. Named by their documents alone
 * they would be looked for among all chunks of the tenant; and without statistics, as in a database that was never analysed, the planner takes any index
 * that begins with the tenant, unless each look-up is one of its own.
 */

/** SQL: every model, as `m`. As an array, because the planner takes a table of a few rows that was never analysed for one of hundreds. */
export const MODELS = "unnest(array(select model_id from embedding_models)) as m (model_id)";

/** Part of a `with` clause: `chunks` (model_id, document_uid, generation, chunk_index) of the documents in `named` (document_uid). `$1` is the tenant. */
export function chunksOf(named: string): string {
  return `chunks as materialized (
             select k.* from ${named} n cross join ${MODELS} cross join lateral (
               select e.model_id, e.document_uid, e.generation, e.chunk_index from doc_embeddings e
               where e.tenant_id = $1 and e.model_id = m.model_id and e.document_uid = n.document_uid offset 0
             ) k
           )`;
}

/** Whether a row of doc_embeddings, apart from its tenant, is the one of `chunks`. */
export function isChunk(row: string, chunk: string): string {
  return ["model_id", "document_uid", "generation", "chunk_index"]
    .map((column) => `${row}.${column} = ${chunk}.${column}`)
    .join(" and ");
}
