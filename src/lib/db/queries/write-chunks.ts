import { z } from "zod";
import type { Statement } from "../sql.ts";
import { chunksOf, isChunk } from "./document-chunks.ts";
import type { StoreVariant } from "./models.ts";
import type { RangeOrigin } from "./range-origin.ts";

/** Which of the chunk hashes (hexadecimal) have a vector of this model somewhere in the tenant. */
export function selectKnownChunkHashes(tenantId: string, modelId: number, chunkHashes: readonly string[]): Statement {
  return {
    text: `select distinct encode(e.chunk_hash, 'hex') as chunk_hash from doc_embeddings e
           where e.tenant_id = $1 and e.model_id = $2::int
             and e.chunk_hash = any(array(select decode(h, 'hex') from unnest($3::text[]) h))`,
    params: [tenantId, modelId, chunkHashes],
  };
}

export const chunkHashRowSchema = z.object({ chunk_hash: z.string() });

export interface ChunkRow {
  readonly documentUid: string;
  /** Version or generation of the document, see `insertChunks`. */
  readonly version: string;
  readonly chunkIndex: number;
  readonly chunkHash: string;
  readonly text: string;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly tokenCount: number;
  readonly lexemeCount: number;
  /** Vector as text, or null to take the known vector of the same chunk hash. */
  readonly embedding: string | null;
  readonly lexemes: string;
  /** `hashPrefix` of the normalised hash of `text`. */
  readonly textHash: number;
}

const VECTOR_TYPES = {
  vector: { embedding: "halfvec", lexemes: "sparsevec" },
  jsonb: { embedding: "jsonb", lexemes: "jsonb" },
} as const satisfies Record<StoreVariant, unknown>;

export interface ChunkTarget {
  readonly variant: StoreVariant;
  /** What `version` of the rows is: a range names the version that it wrote, what comes later under another model the generation that it found. */
  readonly version: "version_key" | "generation";
}

/**
 * Inserts the chunks of those documents that have this version and are not deleted. They end where their document ends. A known vector that is gone fails
 * the transaction (not null).
 */
export function insertChunks(
  origin: Pick<RangeOrigin, "tenantId" | "modelId">,
  { variant, version }: ChunkTarget,
  rows: readonly ChunkRow[],
): Statement {
  const types = VECTOR_TYPES[variant];
  return {
    text: `insert into doc_embeddings (tenant_id, model_id, document_uid, generation, user_id, tier, source, batch_tag,
             occurred_at, pii_version, chunk_index, chunk_hash, text, start_offset, end_offset, token_count, lexeme_count, embedding, lexemes,
             text_hash, valid_until)
           select d.tenant_id, $2::int, d.document_uid, d.generation, d.user_id, d.tier, d.source, d.batch_tag, d.occurred_at,
             d.pii_version, c.chunk_index, decode(c.chunk_hash, 'hex'), c.text, c.start_offset, c.end_offset, c.token_count, c.lexeme_count,
             coalesce(c.embedding::${types.embedding}, (select k.embedding from doc_embeddings k where k.tenant_id = $1
               and k.model_id = $2::int and k.chunk_hash = decode(c.chunk_hash, 'hex') limit 1)),
             c.lexemes::${types.lexemes}, c.text_hash, case when d.series is not null then d.valid_until end
           from unnest($3::uuid[], $4::text[], $5::int[], $6::text[], $7::text[], $8::int[], $9::int[], $10::int[], $11::int[],
             $12::text[], $13::text[], $14::bigint[])
             as c (document_uid, version, chunk_index, chunk_hash, text, start_offset, end_offset, token_count,
               lexeme_count, embedding, lexemes, text_hash)
           join documents d on d.tenant_id = $1 and d.document_uid = c.document_uid and d.${version}${version === "generation" ? "::text" : ""} = c.version
             and d.deleted_at is null`,
    params: [
      origin.tenantId,
      origin.modelId,
      rows.map((row) => row.documentUid),
      rows.map((row) => row.version),
      rows.map((row) => row.chunkIndex),
      rows.map((row) => row.chunkHash),
      rows.map((row) => row.text),
      rows.map((row) => row.startOffset),
      rows.map((row) => row.endOffset),
      rows.map((row) => row.tokenCount),
      rows.map((row) => row.lexemeCount),
      rows.map((row) => row.embedding),
      rows.map((row) => row.lexemes),
      rows.map((row) => row.textHash),
    ],
  };
}

/** Deletes the chunks of former generations. A document of the first generation has none, and costs one look-up of its row. */
export function deleteFormerGenerations(tenantId: string, documentUids: readonly string[]): Statement {
  return {
    text: `with changed as materialized (
             select document_uid, generation from documents where tenant_id = $1 and document_uid = any($2::uuid[]) and generation > 1
           ), ${chunksOf("changed")}
           delete from doc_embeddings e using chunks c, changed d
           where d.document_uid = c.document_uid and c.generation <> d.generation and e.tenant_id = $1 and ${isChunk("e", "c")}`,
    params: [tenantId, documentUids],
  };
}
