/** Which tables a backup holds, and how each is read in order. test/db/backup-tables.test.ts holds this against the schema: every table is here or in `NOT_BACKED`. */

/** A table whose rows are written whole, a page at a time in the order of its key. */
export interface BackedTable {
  readonly name: string;
  /** The primary key without the tenant, with the types of its columns. */
  readonly key: readonly (readonly [column: string, type: string])[];
  /** SQL: which rows, where not all. */
  readonly only?: string;
}

/** Read before everything else: a range that it holds was applied before any other page was read. */
export const LEDGER_TABLE: BackedTable = {
  name: "wal_ledger",
  key: [
    ["wal_id", "text"],
    ["range_index", "int"],
  ],
};

/** Read after the documents, and restored in this order. An operator's key is never in a backup: no statement of the Workers may write one. */
export const KIN_TABLES: readonly BackedTable[] = [
  { name: "tenants", key: [] },
  { name: "policy_versions", key: [["policy_version", "bigint"]] },
  { name: "api_keys", key: [["key_id", "text"]], only: "not ('operator' = any(t.scopes))" },
  { name: "user_erasures", key: [["user_hash", "bytea"]] },
  { name: "batches", key: [["batch_tag", "text"]] },
  { name: "batch_profiles", key: [["batch_tag", "text"]] },
  {
    name: "receipts",
    key: [
      ["wal_id", "text"],
      ["document_index", "int"],
    ],
  },
  { name: "quarantine", key: [["quarantine_id", "text"]] },
  { name: "dead_letters", key: [["dead_letter_id", "text"]] },
  {
    name: "sessions",
    key: [
      ["user_id", "text"],
      ["session_id", "text"],
    ],
  },
  {
    name: "profiles",
    key: [
      ["user_id", "text"],
      ["fact_key", "text"],
      ["version", "bigint"],
    ],
  },
  { name: "dictionaries", key: [["dictionary_id", "text"]] },
  { name: "artifacts", key: [["artifact_id", "text"]] },
  {
    name: "artifact_members",
    key: [
      ["artifact_id", "text"],
      ["position", "bigint"],
    ],
  },
  {
    name: "model_refusals",
    key: [
      ["document_uid", "uuid"],
      ["model_id", "int"],
      ["chunk_index", "int"],
    ],
  },
  { name: "model_progress", key: [["model_id", "int"]] },
];

/** Tables that documents bring with them: their rows stand in the line of their document. */
export const DOCUMENT_TABLES = ["documents", "doc_embeddings", "document_signatures", "signature_bands"] as const;

/** Tables that no backup holds, and why. */
export const NOT_BACKED: Readonly<Record<string, string>> = {
  embedding_models: "of the whole deployment: in the manifest",
  scope_counts: "counted by triggers as chunks are restored",
  lexeme_stats: "statistics: build-index counts them anew",
  backup_marks: "transaction ids of this database mean nothing in another",
  search_indexes: "indexes of a new database are measured anew: build-index",
  orphan_marks: "what hangs on nothing is found anew",
  job_leases: "a new database has no job that runs; the sweeper begins at the first object",
  job_runs: "reports of jobs lie in R2",
  schema_migrations: "written by the migrations",
  migration_leases: "written by the migrations",
};
