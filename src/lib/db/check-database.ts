/** What has to hold of the database before anything is trusted to it. Asked by `/readyz`. */
import { z } from "zod";
import type { Sql } from "./sql.ts";

/** pgvector before 0.8.4 loses rows of an HNSW index in vacuum (CHANGELOG 0.8.3 and 0.8.4). */
const VECTOR_VERSION_MIN = [0, 8, 4] as const;

/** Tables whose rows belong to a tenant: all that have row-level security. */
export const TENANT_TABLES = [
  "api_keys",
  "artifact_members",
  "artifacts",
  "backup_marks",
  "batch_profiles",
  "batches",
  "dead_letters",
  "dictionaries",
  "doc_embeddings",
  "document_signatures",
  "documents",
  "lexeme_stats",
  "model_progress",
  "model_refusals",
  "orphan_marks",
  "policy_versions",
  "profiles",
  "quarantine",
  "receipts",
  "scope_counts",
  "sessions",
  "signature_bands",
  "tenants",
  "user_erasures",
  "wal_ledger",
] as const;

export type DatabaseFault =
  | "schema_missing"
  | "vector_extension_too_old"
  | "role_owns_tables"
  | "role_bypasses_row_security"
  | "row_security_not_forced"
  | "index_invalid";

const factsSchema = z.object({
  table_count: z.coerce.number(),
  unforced_count: z.coerce.number(),
  owned_count: z.coerce.number(),
  invalid_index_count: z.coerce.number(),
  bypasses: z.boolean(),
  vector_version: z.string().nullable(),
  vector_is_used: z.boolean(),
});
export type DatabaseFacts = z.infer<typeof factsSchema>;

/** The first thing that is wrong, or undefined. Pure. */
export function databaseFaultOf(facts: DatabaseFacts): DatabaseFault | undefined {
  if (facts.table_count < TENANT_TABLES.length) return "schema_missing";
  if (facts.bypasses) return "role_bypasses_row_security";
  if (facts.owned_count > 0) return "role_owns_tables";
  if (facts.unforced_count > 0) return "row_security_not_forced";
  if (facts.vector_is_used && !isRecentEnough(facts.vector_version)) return "vector_extension_too_old";
  return facts.invalid_index_count > 0 ? "index_invalid" : undefined;
}

function isRecentEnough(version: string | null): boolean {
  const parts = (version ?? "0").split(".").map(Number);
  for (const [index, least] of VECTOR_VERSION_MIN.entries()) {
    const part = parts[index] ?? 0;
    if (part !== least) return part > least;
  }
  return true;
}

/** Reads the catalogs as the role in use. The result is a fault's code, the SQL error's code, or undefined when all is well. */
export async function checkDatabase(sql: Sql): Promise<string | undefined> {
  const rows = await sql.query({
    text: `select
        (select count(*) from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relname = any($1::text[])) as table_count,
        (select count(*) from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relname = any($1::text[])
           and not (c.relrowsecurity and c.relforcerowsecurity)) as unforced_count,
        (select count(*) from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relname = any($1::text[])
           and pg_has_role(current_user, c.relowner, 'usage')) as owned_count,
        (select count(*) from pg_index i join pg_class c on c.oid = i.indrelid
           where c.relnamespace = current_schema()::regnamespace and c.relname like 'doc\\_embeddings%' and not i.indisvalid
             and c.relkind = 'r') as invalid_index_count,
        (select r.rolsuper or r.rolbypassrls from pg_roles r where r.rolname = current_user) as bypasses,
        (select extversion from pg_extension where extname = 'vector') as vector_version,
        exists (select 1 from pg_attribute a join pg_type t on t.oid = a.atttypid
           where a.attrelid = to_regclass('doc_embeddings') and a.attname = 'embedding' and t.typname = 'halfvec') as vector_is_used`,
    params: [[...TENANT_TABLES]],
  });
  if (!rows.ok) return rows.error.code;
  const facts = factsSchema.safeParse(rows.value[0]);
  return facts.success ? databaseFaultOf(facts.data) : "schema_missing";
}

/** The first thing that is wrong with any of them, or undefined. */
export async function checkDatabases(databases: Iterable<Sql>): Promise<string | undefined> {
  const faults = await Promise.all(Array.from(databases, checkDatabase));
  return faults.find((fault) => fault !== undefined);
}
