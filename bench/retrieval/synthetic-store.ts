import { chunkOptionsFor } from "../../src/lib/chunk/chunk.ts";
import { chunkText } from "../../src/lib/chunk/chunk-text.ts";
import type { Sql, Statement } from "../../src/lib/db/sql.ts";
import { analyse } from "../../src/lib/lexical/analyse.ts";
import { sparsevecText } from "../../src/lib/lexical/encode.ts";

export const DIMENSIONS = 384;
export const MODEL_ID = 1;
/** Topics that the vectors gather around, and how far they stray from them. */
const CLUSTERS = 400;
const SPREAD = 0.9;
const ROWS_PER_STATEMENT = 250;
const CHUNKS_PER_DOCUMENT = 8;

/** Uniform numbers in [0, 1), the same for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Makes unit vectors around cluster centres: random ones would have no neighbours to find. */
export function clusteredVectors(seed: number): () => number[] {
  const random = seededRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(random() + 1e-12)) * Math.cos(2 * Math.PI * random());
  const centres = Array.from({ length: CLUSTERS }, () => Float32Array.from({ length: DIMENSIONS }, normal));
  return () => {
    const centre = centres[Math.floor(random() * CLUSTERS)] ?? new Float32Array(DIMENSIONS);
    const vector = Array.from(centre, (value) => value + SPREAD * normal());
    const length = Math.hypot(...vector);
    return vector.map((value) => Number((value / length).toFixed(5)));
  };
}

/** `count` chunk texts of real words: first the texts' own chunks, then sentences of them put together anew. */
export function chunkTexts(texts: readonly string[], count: number): string[] {
  const byWords = { count: (text: string): number => Math.ceil((text.match(/\S+/g)?.length ?? 0) * 1.3) };
  const own = texts.flatMap((text) =>
    chunkText(text, byWords, chunkOptionsFor(256)).map((chunk) => text.slice(chunk.startOffset, chunk.endOffset)),
  );
  const sentences = own.flatMap((chunk) => chunk.split(/(?<=[.!?])\s+/));
  const random = seededRandom(11);
  const mixed = (): string =>
    Array.from({ length: 7 }, () => sentences[Math.floor(random() * sentences.length)] ?? "")
      .join(" ")
      .slice(0, 1_000);
  return Array.from({ length: count }, (_, index) => own[index] ?? mixed());
}

/** Writes the chunks into one tenant, as documents of eight chunks. */
export async function fillStore(sql: Sql, tenantId: string, texts: readonly string[]): Promise<void> {
  const nextVector = clusteredVectors(42);
  for (let start = 0; start < texts.length; start += ROWS_PER_STATEMENT) {
    const statement = insertRows(tenantId, start, texts.slice(start, start + ROWS_PER_STATEMENT), nextVector);
    const done = await sql.transaction({ tenantId, userId: "*" }, [insertDocuments(tenantId, start), statement]);
    if (!done.ok) throw new Error(`the store took no rows: ${done.error.code}`, { cause: done.error.cause });
  }
}

const UID = "('00000000-0000-8000-8000-' || lpad(to_hex(%), 12, '0'))::uuid";

function insertDocuments(tenantId: string, start: number): Statement {
  const first = Math.floor(start / CHUNKS_PER_DOCUMENT);
  const last = Math.floor((start + ROWS_PER_STATEMENT - 1) / CHUNKS_PER_DOCUMENT);
  return {
    text: `insert into documents (tenant_id, document_uid, document_id, tier, content_hash, model_id, version_key, batch_tag, wal_key, wal_id, document_index)
           select $1, ${UID.replace("%", "n")}, 'd' || n, 'doc', '\\x00', ${MODEL_ID}, 'v', 'b', 'k', 'w', 0 from generate_series($2::int, $3::int) n on conflict do nothing`,
    params: [tenantId, first, last],
  };
}

function insertRows(tenantId: string, start: number, texts: readonly string[], nextVector: () => number[]): Statement {
  const lexemes = texts.map((text) => analyse(text));
  return {
    text: `insert into doc_embeddings (tenant_id, model_id, document_uid, chunk_index, tier, batch_tag, generation, chunk_hash, text, start_offset, end_offset,
             token_count, lexeme_count, embedding, lexemes)
           select $1, ${MODEL_ID}, ${UID.replace("%", `r.n / ${CHUNKS_PER_DOCUMENT}`)}, r.n % ${CHUNKS_PER_DOCUMENT}, 'doc', 'b', 1, sha256(convert_to(r.text, 'UTF8')),
             r.text, 0, length(r.text), 200, r.lexeme_count, r.embedding::halfvec, r.lexemes::sparsevec
           from unnest($2::int[], $3::text[], $4::int[], $5::text[], $6::text[]) as r (n, text, lexeme_count, embedding, lexemes)`,
    params: [
      tenantId,
      texts.map((_, index) => start + index),
      texts,
      lexemes.map(({ lexemeCount }) => lexemeCount),
      texts.map(() => JSON.stringify(nextVector())),
      lexemes.map((item) => sparsevecText(item)),
    ],
  };
}
