import { z } from "zod";
import type { Statement } from "../sql.ts";
import {
  bm25Expression,
  type CandidateSearch,
  hitColumns,
  scopeCondition,
  searchParts,
  statisticsColumns,
  topOf,
} from "./search-parts.ts";
import { Parameters } from "./search-sql.ts";

/**
 * Candidates of a scope that is small enough to look at every row: none when it is larger. One scan gives both scores of each row;
 * statistics of BM25 are counted over the rows that pass the filters. Each candidate carries both scores, whichever side found it.
 */
export function exactCandidates(search: CandidateSearch): Statement {
  const parts = searchParts(search, "up to");
  const sides = [
    ...(parts.hasVector ? [topOf("vector_score", search.candidatesMax)] : []),
    ...(parts.termCount > 0 ? [topOf("lexical_score", search.candidatesMax)] : []),
  ];
  const text = `with size as materialized (${parts.size}),
  scanned as materialized (
    select e.document_uid, e.generation, e.chunk_index, e.tier, e.lexeme_count, ${parts.vectorScore} as vector_score${parts.packColumns}
    from doc_embeddings e
    where ${parts.gate} and ${parts.scope}${parts.filters}
  ),
  statistics as materialized (
    select count(*)::int as row_count, avg(lexeme_count)::float8 as average_length${statisticsColumns(parts)} from scanned
  ),
  scored as materialized (
    select r.document_uid, r.generation, r.chunk_index, r.tier, r.vector_score, ${bm25Expression(search, parts)} as lexical_score
    from scanned r cross join statistics t
  ),
  tiers as materialized (select distinct e.tier from scope_counts e where ${parts.scope} and e.chunk_count > 0),
  candidates as (${sides.join(" union ")})
  select ${hitColumns(search)}, c.vector_score, c.lexical_score, 'exact' as path,
    (select row_count from statistics) as rows_examined, (select chunk_count from size) as scope_chunk_count
  from candidates c
  join doc_embeddings e on e.tenant_id = ${parts.parameters.add(search.tenantId, "text")}
    and e.model_id = ${parts.parameters.add(search.modelId, "int")} and e.document_uid = c.document_uid
    and e.generation = c.generation and e.chunk_index = c.chunk_index
  join documents d on d.tenant_id = e.tenant_id and d.document_uid = e.document_uid`;
  return { text, params: parts.parameters.values };
}

/** Size of the scope by the stored counts. */
export function selectScopeSize(search: CandidateSearch): Statement {
  const parameters = new Parameters();
  const scope = scopeCondition(search, parameters);
  return {
    text: `select coalesce(sum(e.chunk_count), 0)::float8 as chunk_count from scope_counts e where ${scope}`,
    params: parameters.values,
  };
}

export const scopeSizeRowSchema = z.object({ chunk_count: z.number() });

export const candidateRowSchema = z.object({
  tenant_id: z.string(),
  user_id: z.string(),
  document_uid: z.string(),
  chunk_index: z.int(),
  tier: z.string(),
  text: z.string(),
  start_offset: z.int(),
  end_offset: z.int(),
  chunk_hash: z.string(),
  occurred_at_ms: z.number().nullable(),
  document_id: z.string(),
  source: z.string(),
  title: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  wal_id: z.string(),
  document_index: z.int(),
  embedding: z.string().nullable(),
  vector_score: z.number().nullable(),
  lexical_score: z.number().nullable(),
  path: z.enum(["exact", "indexed"]),
  rows_examined: z.int(),
  scope_chunk_count: z.number(),
});
export type CandidateRow = z.infer<typeof candidateRowSchema>;
