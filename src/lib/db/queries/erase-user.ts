import { z } from "zod";
import type { Statement } from "../sql.ts";
import { chunksOf, isChunk } from "./document-chunks.ts";
import { DISOWNED_RECEIPT, RECEIPT_VERSION, type UserName } from "./user-erasures.ts";

/** A user, and what is old enough to go: versions before `before`, and rows without a version that were written before `at` (by the database's clock). */
export interface ErasedUser extends UserName {
  readonly before: string;
  /** null: now. */
  readonly at: Date | null;
}

/** SQL: the time before which rows without a version go. */
const AT = "coalesce($4::timestamptz, clock_timestamp())";
const OWN = "tenant_id = $1 and user_id = $2";
/** SQL: nothing of the user is newer than the erasure, so that all statistics are of what goes. */
const NOTHING_NEW = `not exists (select 1 from documents d where d.tenant_id = $1 and d.user_id = $2 and d.version_key >= $3)`;
/** SQL: no document says of which version a chunk, a signature or a band is. A newer one is the user's new text. */
const oldOf = (alias: string): string =>
  `not exists (select 1 from documents d where d.tenant_id = $1 and d.document_uid = ${alias}.document_uid and d.version_key >= $3)`;

const paramsOf = ({ tenantId, userId, before, at }: ErasedUser): readonly unknown[] => [
  tenantId,
  userId,
  before,
  at === null ? null : at.toISOString(),
];

/** What the store holds of the user that has to go, by table. */
export function countUserRows(user: ErasedUser): Statement {
  return {
    text: `select
             (select count(*) from documents where ${OWN} and version_key < $3) as documents,
             (select count(*) from doc_embeddings e where ${OWN} and ${oldOf("e")}) as chunks,
             (select count(*) from document_signatures s where ${OWN} and ${oldOf("s")}) as signatures,
             (select count(*) from signature_bands b where ${OWN} and ${oldOf("b")}) as signature_bands,
             (select count(*) from receipts r where ${OWN} and ${RECEIPT_VERSION} < $3) as receipts,
             (select count(*) from quarantine where ${OWN} and version_key < $3) as quarantine,
             (select count(*) from profiles where ${OWN} and recorded_at < ${AT}) as profiles,
             (select count(*) from sessions where ${OWN} and updated_at < ${AT}) as sessions,
             (select count(*) from artifacts where ${OWN} and created_at < ${AT}) as artifacts,
             (select count(*) from artifact_members m where ${OWN} and ${oldOf("m")}) as artifact_members,
             (select count(*) from scope_counts where ${OWN} and ${NOTHING_NEW}) as scope_counts,
             (select count(*) from lexeme_stats where ${OWN} and ${NOTHING_NEW}) as lexeme_stats`,
    params: paramsOf(user),
  };
}

const countSchema = z.coerce.number().int();
export const userRowCountsSchema = z.object({
  documents: countSchema,
  chunks: countSchema,
  signatures: countSchema,
  signature_bands: countSchema,
  receipts: countSchema,
  quarantine: countSchema,
  profiles: countSchema,
  sessions: countSchema,
  artifacts: countSchema,
  artifact_members: countSchema,
  scope_counts: countSchema,
  lexeme_stats: countSchema,
});

/** Rows that a statement which deletes has dealt with: fewer than a page say that nothing is left. */
export const erasedRowsSchema = z.object({ row_count: z.int() });

interface OldVersions extends UserName {
  readonly before: string;
}
interface OldRows extends UserName {
  readonly at: Date;
}

const countGone = (text: string): string =>
  `with gone as (${text} returning 1) select count(*)::int as row_count from gone`;

/**
 * One page of documents, with everything that hangs on them. A document whose version becomes a newer one while this waits for it stays, with its
 * chunks.
 */
export function eraseUserDocuments({ tenantId, userId, before }: OldVersions, rowsMax: number): Statement {
  const inPage = "tenant_id = $1 and document_uid in (select document_uid from page)";
  return {
    text: `with page as (
             select document_uid from documents where ${OWN} and version_key < $3 order by document_uid limit $4::int for update),
           ${chunksOf("page")},
           dropped as (delete from doc_embeddings e using chunks c where e.tenant_id = $1 and ${isChunk("e", "c")}),
           bands as (delete from signature_bands where ${inPage}),
           signatures as (delete from document_signatures where ${inPage}),
           refusals as (delete from model_refusals where ${inPage}),
           members as (delete from artifact_members where ${inPage}),
           gone as (delete from documents where ${inPage} returning 1)
           select count(*)::int as row_count from gone`,
    params: [tenantId, userId, before, rowsMax],
  };
}

/** What hangs on no document any more, table by table. */
export function eraseUserRemains({ tenantId, userId, before }: OldVersions): readonly Statement[] {
  return ["doc_embeddings", "document_signatures", "signature_bands", "artifact_members"].map((table) => ({
    text: `delete from ${table} t where ${OWN} and ${oldOf("t")}`,
    params: [tenantId, userId, before],
  }));
}

/** One page of receipts: they stay as numbers in the counts of their batches, and nobody's. Details of reasons name documents. */
export function disownUserReceipts({ tenantId, userId, before }: OldVersions, rowsMax: number): Statement {
  return {
    text: countGone(`update receipts t set ${DISOWNED_RECEIPT},
             reasons = coalesce((select jsonb_agg(reason - 'detail') from jsonb_array_elements(t.reasons) reason), '[]')
           where t.tenant_id = $1 and (t.wal_id, t.document_index) in (
             select r.wal_id, r.document_index from receipts r where ${OWN} and ${RECEIPT_VERSION} < $3 limit $4::int)`),
    params: [tenantId, userId, before, rowsMax],
  };
}

/** Inputs of a request whose user was erased. */
export function selectDisownedInputs(tenantId: string, walId: string): Statement {
  return {
    text: "select document_index from receipts where tenant_id = $1 and wal_id = $2 and user_id = '*'",
    params: [tenantId, walId],
  };
}

export const disownedInputRowSchema = z.object({ document_index: z.int() });

export function eraseUserQuarantine({ tenantId, userId, before }: OldVersions, rowsMax: number): Statement {
  return {
    text: countGone(`delete from quarantine where tenant_id = $1 and quarantine_id in (
             select quarantine_id from quarantine where ${OWN} and version_key < $3 limit $4::int)`),
    params: [tenantId, userId, before, rowsMax],
  };
}

/** Small tables: a profile has hundreds of rows, a session one. */
export function eraseUserTables({ tenantId, userId, at }: OldRows): readonly Statement[] {
  return [
    ["profiles", "recorded_at"],
    ["sessions", "updated_at"],
    ["artifacts", "created_at"],
  ].map(([table, time]) => ({
    text: `delete from ${table} where ${OWN} and ${time} < $3::timestamptz`,
    params: [tenantId, userId, at.toISOString()],
  }));
}

/** Statistics of what is gone; those of a user who has sent new documents hold them, and are of them alone by now. */
export function eraseUserStatistics({ tenantId, userId, before }: OldVersions): readonly Statement[] {
  return ["scope_counts", "lexeme_stats"].map((table) => ({
    text: `delete from ${table} where ${OWN} and ${NOTHING_NEW}`,
    params: [tenantId, userId, before],
  }));
}

/** What stays and has to be named: keys that are bound to the user, and objects of whole tenants that may hold a copy. */
export function countUserKept({ tenantId, userId }: UserName): Statement {
  return {
    text: `select (select count(*) from api_keys where ${OWN}) as keys,
             (select count(*) from artifacts where tenant_id = $1 and kind in ('backup', 'snapshot')) as copies`,
    params: [tenantId, userId],
  };
}

export const keptRowSchema = z.object({ keys: countSchema, copies: countSchema });
