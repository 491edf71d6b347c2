import { documentUid } from "../../../src/lib/base/document-uid.ts";
import { type CandidateRow, candidateRowSchema, exactCandidates } from "../../../src/lib/db/queries/search.ts";
import type { CandidateSearch } from "../../../src/lib/db/queries/search-parts.ts";
import type { Sql, Statement } from "../../../src/lib/db/sql.ts";
import { analyse } from "../../../src/lib/lexical/analyse.ts";
import { lexemesJson, sparsevecText } from "../../../src/lib/lexical/encode.ts";
import { packedQueries, queryTermsOf } from "../../../src/lib/lexical/query-terms.ts";
import { BM25_B, BM25_K1 } from "../../../src/lib/lexical/bm25.ts";
import { expectOk, rowsIn, statement } from "../../support/database.ts";
import type { TestBackend } from "../../support/postgres-servers.ts";

export const DIMENSIONS = 4;
export const MODEL_ID = 7;

export interface StoredChunk {
  readonly tenantId: string;
  readonly userId?: string;
  readonly tier?: string;
  readonly documentId: string;
  readonly chunkIndex?: number;
  readonly modelId?: number;
  readonly source?: string;
  readonly occurredAt?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly text: string;
  readonly vector?: readonly number[];
}

export function variantOf(backend: TestBackend): "vector" | "jsonb" {
  return backend === "pglite" || backend === "native" ? "vector" : "jsonb";
}

export function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function uidOf(chunk: StoredChunk): string {
  return documentUid({
    tenantId: chunk.tenantId,
    userId: chunk.userId ?? "",
    tier: chunk.tier ?? "doc",
    documentId: chunk.documentId,
  });
}

function insertDocument(chunk: StoredChunk): Statement {
  return statement(
    `insert into documents (tenant_id, document_uid, user_id, document_id, tier, source, metadata, content_hash, model_id, version_key, batch_tag,
       wal_key, wal_id, document_index) values ($1, $2::uuid, $3, $4, $5, $6, $7::jsonb, '\\x00', $8::int, 'v', 'b', 'k', '01JZZZZZZZZZZZZZZZZZZZZZZZ', 0)
     on conflict do nothing`,
    chunk.tenantId,
    uidOf(chunk),
    chunk.userId ?? "",
    chunk.documentId,
    chunk.tier ?? "doc",
    chunk.source ?? "",
    JSON.stringify(chunk.metadata ?? {}),
    chunk.modelId ?? MODEL_ID,
  );
}

function insertChunk(chunk: StoredChunk, variant: "vector" | "jsonb"): Statement {
  const lexemes = analyse(chunk.text);
  const types = variant === "vector" ? ["halfvec", "sparsevec"] : ["jsonb", "jsonb"];
  return statement(
    `insert into doc_embeddings (tenant_id, model_id, document_uid, chunk_index, user_id, tier, source, batch_tag, generation, chunk_hash, text,
       start_offset, end_offset, token_count, lexeme_count, embedding, lexemes, occurred_at)
     values ($1, $2::int, $3::uuid, $4::int, $5, $6, $7, 'b', 1, sha256(convert_to($8, 'UTF8')), $8, 0, $9::int, 1, $10::int, $11::${types[0] ?? ""}, $12::${types[1] ?? ""}, $13::timestamptz)`,
    chunk.tenantId,
    chunk.modelId ?? MODEL_ID,
    uidOf(chunk),
    chunk.chunkIndex ?? 0,
    chunk.userId ?? "",
    chunk.tier ?? "doc",
    chunk.source ?? "",
    chunk.text,
    chunk.text.length,
    lexemes.lexemeCount,
    JSON.stringify(unit(chunk.vector ?? [1, 1, 1, 1])),
    variant === "vector" ? sparsevecText(lexemes) : lexemesJson(lexemes),
    chunk.occurredAt ?? null,
  );
}

/** Stores chunks as the system does, under row-level security. */
export async function storeChunks(sql: Sql, backend: TestBackend, chunks: readonly StoredChunk[]): Promise<void> {
  const byTenant = Map.groupBy(chunks, (chunk) => chunk.tenantId);
  for (const [tenantId, own] of byTenant) {
    const statements = own.flatMap((chunk) => [insertDocument(chunk), insertChunk(chunk, variantOf(backend))]);
    expectOk(await sql.transaction({ tenantId, userId: "*" }, statements));
  }
}

/** A search with defaults that find everything. */
export function searchFor(
  backend: TestBackend,
  query: string,
  overrides: Partial<CandidateSearch> & { readonly tenantId: string },
): CandidateSearch {
  const terms = queryTermsOf(query);
  return {
    variant: variantOf(backend),
    userId: "",
    tiers: [],
    modelId: MODEL_ID,
    dimensions: DIMENSIONS,
    queryVector: unit([1, 2, 3, 4]),
    terms,
    packs: packedQueries(terms),
    bm25: { k1: BM25_K1, b: BM25_B },
    filters: {},
    candidatesMax: 100,
    exactRowsMax: 20_000,
    ...overrides,
  };
}

export async function candidatesOf(
  sql: Sql,
  search: CandidateSearch,
  scope?: { tenantId: string; userId: string },
): Promise<CandidateRow[]> {
  const rows = await rowsIn(
    sql,
    scope ?? { tenantId: search.tenantId, userId: search.userId },
    exactCandidates(search),
  );
  return rows.map((row) => candidateRowSchema.parse(row));
}
