import type { Statement } from "../sql.ts";

/** Work that cannot succeed as it is: where it lies and why, never its text. */
export interface DeadLetterRow {
  readonly deadLetterId: string;
  readonly queue: string;
  readonly code: string;
  readonly walKey: string | null;
  readonly walId: string | null;
  readonly rangeIndex: number | null;
  readonly documentIndex: number | null;
  readonly chunkIndex: number | null;
  readonly attempts: number;
}

/** Lists dead letters. Twice means once: ids are made of where the work lies. */
export function insertDeadLetters(tenantId: string, rows: readonly DeadLetterRow[]): Statement {
  return {
    text: `insert into dead_letters (tenant_id, dead_letter_id, queue, code, wal_key, wal_id, range_index, document_index,
             chunk_index, attempts)
           select $1, r.* from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::int[],
             $9::int[], $10::int[]) as r
           on conflict (tenant_id, dead_letter_id) do nothing`,
    params: [
      tenantId,
      rows.map((row) => row.deadLetterId),
      rows.map((row) => row.queue),
      rows.map((row) => row.code),
      rows.map((row) => row.walKey),
      rows.map((row) => row.walId),
      rows.map((row) => row.rangeIndex),
      rows.map((row) => row.documentIndex),
      rows.map((row) => row.chunkIndex),
      rows.map((row) => row.attempts),
    ],
  };
}

/** One page of the open dead letters, newest first. */
export function selectOpenDeadLetters(tenantId: string, rowsMax: number): Statement {
  return {
    text: `select tenant_id, dead_letter_id, queue, code, wal_id, range_index, document_index, chunk_index, attempts, created_at
           from dead_letters where tenant_id = $1 and resolved_at is null order by created_at desc limit $2::int`,
    params: [tenantId, rowsMax],
  };
}
