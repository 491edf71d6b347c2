import type { Statement } from "../sql.ts";
import {
  bm25Expression,
  type CandidateSearch,
  hitColumns,
  type SearchParts,
  searchParts,
  topOf,
} from "./search-parts.ts";

/** Rows that the lexical index may bring up for one search: 20 ms of heap reads. The rarest terms are looked up until this is filled. */
const LEXICAL_ROWS_MAX = 10_000;
/** Keys kept of them per tier and candidate wanted: the index ranks by a rough score, the rest of the query by the exact one. */
const KEYS_PER_CANDIDATE = 3;
/** Candidates that HNSW keeps in sight, for each that is wanted: the least that an index is measured with. */
const EF_SEARCH_FACTOR = 2;
/** pgvector's upper bound of hnsw.ef_search. */
const EF_SEARCH_MAX = 1_000;

/** The record of the tenant's index of vectors of a model (alias `x`), if searches may use it. */
function approvedIndex(tenantId: string, modelId: string): string {
  return `search_indexes x where x.approved and x.partition_name = chunk_partition(${tenantId}) and x.model_id = ${modelId}::int`;
}

/**
 * Settings for the rest of the transaction. Compiling these wide expressions takes the just-in-time compiler seconds, running them milliseconds.
 * Filters would starve an HNSW scan that does not go on (pgvector 0.8).
 */
export function searchSettings(search: CandidateSearch): Statement {
  if (search.variant === "jsonb") return { text: "select set_config('jit', 'off', true)", params: [] };
  const settings = "select set_config('jit', 'off', true), set_config('hnsw.iterative_scan', 'relaxed_order', true)";
  if (search.trial !== undefined)
    return {
      text: `${settings}, set_config('hnsw.ef_search', $1, true)`,
      params: [String(search.trial.efSearch)],
    };
  return {
    text: `${settings}, set_config('hnsw.ef_search', greatest($3::int, (select x.ef_search from ${approvedIndex("$1", "$2")}))::text, true)`,
    params: [search.tenantId, search.modelId, leastEfSearch(search.candidatesMax)],
  };
}

/** The breadth with which HNSW is searched for so many candidates where nothing asks for more. */
export function leastEfSearch(candidatesMax: number): number {
  return Math.min(EF_SEARCH_MAX, Math.max(100, candidatesMax * EF_SEARCH_FACTOR));
}

// The terms with their frequencies over the scope, rarest first; a term that the statistics do not know is rare.
function termTables(search: CandidateSearch, parts: SearchParts): string {
  const dimensions = parts.parameters.add(
    search.terms.map((term) => term.dimension),
    "int[]",
  );
  const queryCounts = parts.parameters.add(
    search.terms.map((term) => term.queryCount),
    "int[]",
  );
  return `terms as materialized (
    select q.dimension, q.query_count, q.position, least(coalesce(sum(e.chunk_count), 1), (select chunk_count from size))::float8 as frequency
    from unnest(${dimensions}, ${queryCounts}) with ordinality as q (dimension, query_count, position)
    left join lexeme_stats e on e.dimension = q.dimension and ${parts.scope}
    where ${parts.gate} group by q.dimension, q.query_count, q.position
  ),
  weighed as materialized (
    select dimension, query_count, position, ln(1 + ((select chunk_count from size) - frequency + 0.5) / (frequency + 0.5)) as idf,
      sum(frequency) over (order by frequency, dimension) as cumulative, row_number() over (order by frequency, dimension) as place
    from terms
  ),
  statistics as materialized (
    select (select lexeme_total / nullif(chunk_count, 0) from size) as average_length${search.terms
      .map((_, index) => `, max(idf) filter (where position = ${index + 1}) as idf_${index}`)
      .join("")} from weighed
  )`;
}

function lexicalKeys(search: CandidateSearch): string {
  // Terms of no weight (in every chunk) would be rounded to 0, which sparsevec does not hold.
  return `select k.document_uid, k.generation, k.chunk_index
    from (select array_agg(dimension) filter (where cumulative <= ${LEXICAL_ROWS_MAX} or place = 1) as probes,
        ('{' || string_agg(dimension || ':' || greatest(0.0001, round((query_count * idf)::numeric, 4)), ',' order by dimension)
          || '}/536870912')::sparsevec as weights from weighed) w
    cross join lateral search_lexical_keys(${search.modelId}, (select array_agg(tier) from tiers), w.probes, w.weights,
      (select average_length from statistics), ${LEXICAL_ROWS_MAX}, ${search.candidatesMax * KEYS_PER_CANDIDATE}) k`;
}

// Tiers of more chunks than one looks at are left to the index, if it was approved. Of the others every row is looked at: few among many are what a
// graph is worst at. `+ 0` is an order that no index has. Without approval all tiers are others.
function vectorKeys(search: CandidateSearch, parts: SearchParts): string {
  const isIndexed = `t.chunk_count > ${search.exactRowsMax} and ${search.trial === undefined ? "(select is_approved from approval)" : "true"}`;
  const nearest = (
    ofTiers: string,
    order: string,
  ): string => `select k.document_uid, k.generation, k.chunk_index from tiers t cross join lateral (
      select e.document_uid, e.generation, e.chunk_index from doc_embeddings e
      where ${parts.gate} and ${parts.scope}${parts.filters} and e.tier = t.tier
      order by ${order} limit ${search.candidatesMax}) k where ${ofTiers}`;
  return `${nearest(isIndexed, parts.vectorDistance)} union all ${nearest(`not (${isIndexed})`, `(${parts.vectorDistance}) + 0`)}`;
}

/**
 * Candidates of a scope that is too large to look at: none when it is small enough. HNSW and the index over stems name keys, the rows
 * behind them are read under row-level security and scored exactly as in the exact path, with the document frequencies of the
 * last maintenance run. Filters on words apply after the index, so a rare filter can leave the lexical side short.
 */
export function indexedCandidates(search: CandidateSearch): Statement {
  const parts = searchParts(search, "over");
  const hasTerms = parts.termCount > 0;
  const keys = [...(parts.hasVector ? [vectorKeys(search, parts)] : []), ...(hasTerms ? [lexicalKeys(search)] : [])];
  const sides = [
    ...(parts.hasVector ? [topOf("vector_score", search.candidatesMax)] : []),
    ...(hasTerms ? [topOf("lexical_score", search.candidatesMax)] : []),
  ];
  const tables = hasTerms
    ? termTables(search, parts)
    : `statistics as materialized (select 1::float8 as average_length)`;
  const tenantId = parts.parameters.add(search.tenantId, "text");
  const approval = `select exists (select from ${approvedIndex(tenantId, String(search.modelId))}) as is_approved`;
  const text = `with size as materialized (${parts.size}),
  approval as materialized (${approval}),
  tiers as materialized (
    select e.tier, sum(e.chunk_count) as chunk_count from scope_counts e where ${parts.gate} and ${parts.scope} and e.chunk_count > 0 group by e.tier
  ),
  ${tables},
  keys as materialized (${keys.join(" union ")}),
  scanned as materialized (
    select e.document_uid, e.generation, e.chunk_index, e.tier, e.lexeme_count, ${parts.vectorScore} as vector_score${parts.packColumns}
    from keys k join doc_embeddings e on e.document_uid = k.document_uid and e.generation = k.generation and e.chunk_index = k.chunk_index
    where ${parts.scope}${parts.filters}
  ),
  scored as materialized (
    select r.document_uid, r.generation, r.chunk_index, r.tier, r.vector_score, ${bm25Expression(search, parts)} as lexical_score
    from scanned r cross join statistics t
  ),
  candidates as (${sides.join(" union ")})
  select ${hitColumns(search)}, c.vector_score, c.lexical_score, 'indexed' as path,
    (select count(*) from scanned)::int as rows_examined, (select chunk_count from size) as scope_chunk_count
  from candidates c
  join doc_embeddings e on e.document_uid = c.document_uid and e.generation = c.generation and e.chunk_index = c.chunk_index and ${parts.scope}
  join documents d on d.tenant_id = e.tenant_id and d.document_uid = e.document_uid`;
  return { text, params: parts.parameters.values };
}
