import type { StoreVariant } from "./models.ts";
import { Parameters } from "./search-sql.ts";

/** What is searched for, in which rows. */
export interface CandidateSearch {
  readonly variant: StoreVariant;
  readonly tenantId: string;
  /** '' searches what the tenant shares alone; a user's memory comes on top of it. */
  readonly userId: string;
  /** Empty: every tier present. */
  readonly tiers: readonly string[];
  readonly modelId: number;
  readonly dimensions: number;
  /** Unit vector of the query, or undefined for a lexical search. */
  readonly queryVector: readonly number[] | undefined;
  /** Stems of the query as `lexical` hashes them; empty for a vector search. */
  readonly terms: readonly { readonly dimension: number; readonly queryCount: number }[];
  /** The terms six at a time, see `packedQueries`. */
  readonly packs: readonly string[];
  readonly bm25: { readonly k1: number; readonly b: number };
  readonly filters: CandidateFilters;
  /** Candidates of each side and tier. */
  readonly candidatesMax: number;
  /** Chunks of a scope up to which every row is looked at. */
  readonly exactRowsMax: number;
  /** Uses the index of vectors whether it was approved or not, with so many candidates in sight: to measure it. */
  readonly trial?: { readonly efSearch: number };
}

export interface CandidateFilters {
  readonly sources?: readonly string[];
  readonly documentIds?: readonly string[];
  readonly occurredFrom?: string;
  readonly occurredBefore?: string;
  /** Each key holds this value, or a list with it. */
  readonly metadata?: Readonly<Record<string, string | number | boolean>>;
  /** What was known and valid then; absent: what is valid now. */
  readonly asOf?: string;
}

const TERMS_PER_PACK = 6;

/** Placeholders and expressions that the parts of a search share. */
export interface SearchParts {
  readonly parameters: Parameters;
  readonly scope: string;
  readonly filters: string;
  readonly size: string;
  /** Holds when the scope is of the size that the statement is for; decided once, before any row is read. */
  readonly gate: string;
  readonly vectorDistance: string;
  readonly vectorScore: string;
  readonly packColumns: string;
  readonly hasVector: boolean;
  readonly termCount: number;
  readonly countOf: (term: number) => string;
}

/** Conditions of tenant, user, tier, model: they stand in every query, whatever row-level security does behind them. */
export function scopeCondition(search: CandidateSearch, parameters: Parameters): string {
  const users = parameters.add(search.userId === "" ? [""] : ["", search.userId], "text[]");
  const conditions = [
    `e.tenant_id = ${parameters.add(search.tenantId, "text")}`,
    `e.user_id = any(${users})`,
    `e.model_id = ${parameters.add(search.modelId, "int")}`,
  ];
  if (search.tiers.length > 0) conditions.push(`e.tier = any(${parameters.add(search.tiers, "text[]")})`);
  return conditions.join(" and ");
}

/** Whether a chunk (alias `e`) was there and valid at a time, or is valid now. */
export function validCondition(asOf: string | undefined, parameters: Parameters): string {
  if (asOf === undefined) return "e.valid_until is null";
  const time = parameters.add(asOf, "timestamptz");
  return `coalesce(e.occurred_at, e.created_at) <= ${time} and (e.valid_until is null or e.valid_until > ${time})`;
}

function filterCondition(search: CandidateSearch, parameters: Parameters): string {
  const { sources, documentIds, occurredFrom, occurredBefore, metadata, asOf } = search.filters;
  const conditions = [validCondition(asOf, parameters)];
  if (sources !== undefined) conditions.push(`e.source = any(${parameters.add(sources, "text[]")})`);
  if (occurredFrom !== undefined) conditions.push(`e.occurred_at >= ${parameters.add(occurredFrom, "timestamptz")}`);
  if (occurredBefore !== undefined) conditions.push(`e.occurred_at < ${parameters.add(occurredBefore, "timestamptz")}`);
  const onDocument: string[] = [];
  if (documentIds !== undefined) onDocument.push(`d.document_id = any(${parameters.add(documentIds, "text[]")})`);
  for (const [key, value] of Object.entries(metadata ?? {})) {
    const scalar = parameters.add(JSON.stringify({ [key]: value }), "jsonb");
    const listed = parameters.add(JSON.stringify({ [key]: [value] }), "jsonb");
    onDocument.push(`(d.metadata @> ${scalar} or d.metadata @> ${listed})`);
  }
  if (onDocument.length > 0) {
    const document = "select 1 from documents d where d.tenant_id = e.tenant_id and d.document_uid = e.document_uid";
    conditions.push(`exists (${document} and ${onDocument.join(" and ")})`);
  }
  return conditions.map((condition) => ` and ${condition}`).join("");
}

/** Expressions of one search over alias `e` of doc_embeddings, for scopes up to or over `exactRowsMax`. */
export function searchParts(search: CandidateSearch, size: "up to" | "over"): SearchParts {
  const parameters = new Parameters();
  const scope = scopeCondition(search, parameters);
  const filters = filterCondition(search, parameters);
  const gate = `(select chunk_count from size) ${size === "over" ? ">" : "<="} ${search.exactRowsMax}`;
  const sizeOfScope = `select coalesce(sum(e.chunk_count), 0)::float8 as chunk_count, coalesce(sum(e.lexeme_total), 0)::float8 as lexeme_total
    from scope_counts e where ${scope}`;
  const common = {
    parameters,
    scope,
    filters,
    size: sizeOfScope,
    gate,
    termCount: search.terms.length,
    hasVector: search.queryVector !== undefined,
  };
  if (search.variant === "vector") {
    const type = `halfvec(${search.dimensions})`;
    const vector =
      search.queryVector === undefined ? undefined : parameters.add(JSON.stringify(search.queryVector), type);
    const packs = search.packs.map(
      (pack, index) => `, (-(e.lexemes <#> ${parameters.add(pack, "sparsevec")}))::int as pack_${index}`,
    );
    return {
      ...common,
      vectorScore: vector === undefined ? "null::float8" : `-(e.embedding::${type} <#> ${vector})`,
      vectorDistance: `e.embedding::${type} <#> ${vector ?? "null"}`,
      packColumns: packs.join(""),
      countOf: (term) => `((pack_${Math.floor(term / TERMS_PER_PACK)} >> ${4 * (term % TERMS_PER_PACK)}) & 15)`,
    };
  }
  const vector = search.queryVector === undefined ? undefined : parameters.add(search.queryVector, "float8[]");
  const counts = search.terms.map(
    (term, index) =>
      `, coalesce((e.lexemes ->> ${parameters.add(String(term.dimension), "text")})::int, 0) as count_${index}`,
  );
  return {
    ...common,
    vectorScore: vector === undefined ? "null::float8" : `jsonb_inner_product(e.embedding, ${vector})`,
    vectorDistance: "null::float8",
    packColumns: counts.join(""),
    countOf: (term) => `count_${term}`,
  };
}

/**
 * BM25 of a row over `statistics` (chunk_count, average_length, idf_0 …). See lexical/bm25.ts for the formula.
 * The scope's own numbers of chunks, lengths and document frequencies, not those of the whole table.
 */
export function bm25Expression(search: CandidateSearch, parts: SearchParts): string {
  if (parts.termCount === 0) return "null::float8";
  const { k1, b } = search.bm25;
  const damping = `(${k1 * (1 - b)}::float8 + ${k1 * b}::float8 * r.lexeme_count / nullif(t.average_length, 0))`;
  const terms = search.terms.map((term, index) => {
    const count = parts.countOf(index);
    return `case when ${count} = 0 then 0 else ${term.queryCount} * t.idf_${index} * ${count} / (${count} + ${damping}) end`;
  });
  return `${k1 + 1} * (${terms.join(" + ")})`;
}

export function statisticsColumns(parts: SearchParts): string {
  const columns = Array.from({ length: parts.termCount }, (_, index) => {
    const frequency = `count(*) filter (where ${parts.countOf(index)} > 0)`;
    return `, ln(1 + (count(*) - ${frequency} + 0.5) / (${frequency} + 0.5))::float8 as idf_${index}`;
  });
  return columns.join("");
}

// The best of each tier on each side; ties by key, so that the same store gives the same candidates.
export function topOf(side: "vector_score" | "lexical_score", candidatesMax: number): string {
  const positive = side === "lexical_score" ? " and c.lexical_score > 0" : "";
  return `select c.document_uid, c.generation, c.chunk_index, c.vector_score, c.lexical_score from tiers t cross join lateral (
      select * from scored c where c.tier = t.tier${positive}
      order by c.${side} desc, c.document_uid, c.chunk_index limit ${candidatesMax}) c`;
}

/** Columns of a candidate besides its scores; its vector where both sides are searched, since smoothing needs it. */
export function hitColumns(search: CandidateSearch): string {
  const binary = "encode(halfvec_send(e.embedding), 'base64')";
  const vector = search.variant === "vector" ? binary : "e.embedding::text";
  const isHybrid = search.terms.length > 0 && search.queryVector !== undefined;
  return `${HIT_COLUMNS}, ${isHybrid ? vector : "null::text"} as embedding`;
}

const HIT_COLUMNS = `e.tenant_id, e.user_id, e.document_uid, e.chunk_index, e.tier, e.text, e.start_offset, e.end_offset,
    encode(e.chunk_hash, 'hex') as chunk_hash, (extract(epoch from e.occurred_at) * 1000)::float8 as occurred_at_ms,
    d.document_id, d.source, d.title, d.metadata, d.wal_id, d.document_index`;
