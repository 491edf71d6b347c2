/** Fills a migrated database with synthetic tenants: chunks and documents by COPY, what hangs on them by statements inside the server. */
import type { Sql } from "../../src/lib/db/sql.ts";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { expectOk, statement } from "../../test/support/database.ts";
import { CopyRows } from "./copy-format.ts";
import { CHUNK_COLUMNS, DOCUMENT_COLUMNS, MODEL_ID, writeChunk, writeDocument } from "./row-writers.ts";
import { runPsql } from "./psql.ts";
import { documentsOf, type RowSources, type SyntheticDocument } from "./synthetic-rows.ts";
import type { NamesBesideGiant, PlannedTenant } from "./tenant-plan.ts";

export interface GrowthDatabase {
  /** Past row-level security. */
  readonly ownerSql: Sql;
  readonly ownerConnectionString: string;
  readonly psqlPath: string;
}

/** Chunks of one COPY: a statement-level trigger counts them. */
const CHUNKS_OF_COPY = 20_000;
/** One statement over a whole tenant. */
const TIMEOUT_MS = 600_000;

/** Names of tenants of which the last two lie in the partition of the first. */
export async function namesBesideGiant(database: GrowthDatabase): Promise<NamesBesideGiant> {
  const giant = "giant";
  const isBeside = "chunk_partition(name) = chunk_partition('giant')";
  return {
    giant,
    middle: await nameWhere(database, "middle-", isBeside),
    small: await nameWhere(database, "small-", isBeside),
  };
}

/** The first name with a prefix that meets a condition on `name`. */
export async function nameWhere({ ownerSql }: GrowthDatabase, prefix: string, condition: string): Promise<string> {
  const names = "select $1 || n as name from generate_series(0, 999) n";
  const rows = expectOk(
    await ownerSql.query(statement(`select name from (${names}) c where ${condition} limit 1`, prefix)),
  );
  const name = rows[0]?.["name"];
  if (typeof name !== "string") throw new Error(`none of a thousand names meets ${condition}`);
  return name;
}

/** Makes the one model that the vectors are of. */
export async function registerModel({ ownerSql }: GrowthDatabase, dimensions: number): Promise<void> {
  expectOk(
    await ownerSql.query(
      statement(`insert into embedding_models (model_id, fingerprint, model_name, revision, dimensions, max_input_tokens, state)
        overriding system value values (${MODEL_ID}, 'synthetic', 'synthetic', '1', ${dimensions}, 256, 'active')`),
    ),
  );
}

/** Writes one tenant. */
export async function fillTenant(database: GrowthDatabase, tenant: PlannedTenant, sources: RowSources): Promise<void> {
  const { ownerSql } = database;
  expectOk(
    await ownerSql.query(
      statement("insert into tenants (tenant_id) values ($1) on conflict do nothing", tenant.tenantId),
    ),
  );
  const random = new SeededRandom(tenant.chunkCount);
  let page: SyntheticDocument[] = [];
  let chunkCount = 0;
  for (const document of documentsOf(tenant, sources.texts)) {
    page.push(document);
    chunkCount += document.chunks.length;
    if (chunkCount < CHUNKS_OF_COPY) continue;
    await copyPage(database, tenant.tenantId, page, { sources, random });
    page = [];
    chunkCount = 0;
  }
  await copyPage(database, tenant.tenantId, page, { sources, random });
  for (const text of HANGERS_ON)
    expectOk(await ownerSql.query(statement(text, tenant.tenantId), { timeoutMs: TIMEOUT_MS }));
}

async function copyPage(
  { psqlPath, ownerConnectionString: url }: GrowthDatabase,
  tenantId: string,
  page: readonly SyntheticDocument[],
  { sources, random }: { readonly sources: RowSources; readonly random: SeededRandom },
): Promise<void> {
  if (page.length === 0) return;
  const documents = new CopyRows();
  const chunks = new CopyRows();
  const vector = new Float64Array(sources.vectors.dimensions);
  for (const document of page) {
    writeDocument(documents, tenantId, document);
    for (let index = 0; index < document.chunks.length; index += 1) {
      sources.vectors.next(random, vector);
      writeChunk(chunks, { tenantId, document, index, vector });
    }
  }
  const copy = (table: string, columns: readonly string[]): string =>
    `copy ${table} (${columns.join(", ")}) from stdin (format binary)`;
  await runPsql({ psqlPath, url }, copy("documents", DOCUMENT_COLUMNS), documents.finish());
  await runPsql({ psqlPath, url }, copy("doc_embeddings", CHUNK_COLUMNS), chunks.finish());
}

/** Bands of a signature: as many as a sketch has. */
const BANDS = 8;

// `$1` is the tenant. Receipts, ledger, batches and signatures as the consumer would have left them.
const HANGERS_ON = [
  `insert into receipts (tenant_id, wal_id, document_index, user_id, batch_tag, document_uid, document_id, outcome, version_key,
     chunk_count, token_count, source, tier, language, character_count, model_id)
   select tenant_id, wal_id, document_index, user_id, batch_tag, document_uid, document_id, 'indexed', version_key,
     chunk_count, token_count, source, tier, 'en', 7 * token_count, model_id from documents where tenant_id = $1`,
  `insert into wal_ledger (tenant_id, wal_id, range_index, batch_tag, state, document_count)
   select tenant_id, wal_id, document_index / 50, min(batch_tag), 'applied', count(*) from documents where tenant_id = $1 group by 1, 2, 3`,
  `insert into batches (tenant_id, batch_tag, indexed_count, chunk_count, token_count)
   select tenant_id, batch_tag, count(*), sum(chunk_count), sum(token_count) from documents where tenant_id = $1 group by 1, 2`,
  `insert into document_signatures (tenant_id, document_uid, user_id, tier, occurred_at, sketch_version, normalised_hash, signature)
   select tenant_id, document_uid, user_id, tier, occurred_at, 1, content_hash, content_hash from documents where tenant_id = $1`,
  `insert into signature_bands (tenant_id, band, document_uid, user_id)
   select tenant_id, hashtextextended(document_id, band) >> 11, document_uid, user_id from documents, generate_series(1, ${BANDS}) band
   where tenant_id = $1`,
];
