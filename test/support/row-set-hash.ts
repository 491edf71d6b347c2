/** Whether two databases hold the same rows: a hash of each table's set of rows. */
import { DOCUMENT_TABLES, KIN_TABLES, LEDGER_TABLE } from "../../src/lib/db/queries/backup-tables.ts";
import type { Sql } from "../../src/lib/db/sql.ts";
import { expectOk, statement } from "./database.ts";

/** When a row was written, which the replay of a request writes anew. */
export const CLOCK_COLUMNS: Readonly<Record<string, readonly string[]>> = {
  wal_ledger: ["applied_at"],
  documents: ["created_at", "updated_at"],
  doc_embeddings: ["created_at"],
  receipts: ["applied_at"],
  batches: ["first_applied_at", "last_applied_at"],
  batch_profiles: ["first_applied_at", "updated_at"],
  artifacts: ["created_at", "updated_at"],
  quarantine: ["created_at"],
  dead_letters: ["created_at"],
  sessions: ["updated_at"],
};

const TABLES = [LEDGER_TABLE, ...KIN_TABLES].map(({ name }) => name).concat(DOCUMENT_TABLES, "scope_counts");

/** Rows by table as `count hash`; by the owner, who sees every tenant. Operators' keys are left out, which no backup holds. */
export async function rowSetHashes(
  ownerSql: Sql,
  options: { readonly without?: Readonly<Record<string, readonly string[]>>; readonly tenantId?: string } = {},
): Promise<Readonly<Record<string, string>>> {
  const hashes: Record<string, string> = {};
  for (const table of TABLES) {
    const only =
      table === "api_keys"
        ? "not ('operator' = any(t.scopes))"
        : table === "scope_counts"
          ? "chunk_count <> 0"
          : "true";
    const text = `select count(*)::text || ' ' || md5(coalesce(string_agg(h.row, '' order by h.row), '')) as hash
      from (select md5((to_jsonb(t) - $1::text[])::text) as row from ${table} t where ($2 = '' or t.tenant_id = $2) and ${only}) h`;
    const rows = expectOk(
      await ownerSql.query(statement(text, options.without?.[table] ?? [], options.tenantId ?? "")),
    );
    hashes[table] = String(rows[0]?.["hash"]);
  }
  return hashes;
}
