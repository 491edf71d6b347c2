import type { Reason } from "../../contract/verdict.ts";
import type { Statement } from "../sql.ts";

export interface QuarantineRow {
  readonly quarantineId: string;
  readonly userId: string;
  readonly documentId: string;
  readonly source: string;
  readonly reasons: readonly Reason[];
  readonly objectKey: string;
  readonly sizeBytes: number;
}

/** Lists quarantined inputs. Twice means once: the id is the receipt's. */
export function insertQuarantine(tenantId: string, batchTag: string, rows: readonly QuarantineRow[]): Statement {
  return {
    text: `insert into quarantine (tenant_id, batch_tag, quarantine_id, user_id, document_id, source, reasons, object_key, size_bytes)
           select $1, $2, r.quarantine_id, r.user_id, r.document_id, r.source, r.reasons::jsonb, r.object_key, r.size_bytes
           from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[])
             as r (quarantine_id, user_id, document_id, source, reasons, object_key, size_bytes)
           on conflict (tenant_id, quarantine_id) do nothing`,
    params: [
      tenantId,
      batchTag,
      rows.map((row) => row.quarantineId),
      rows.map((row) => row.userId),
      rows.map((row) => row.documentId),
      rows.map((row) => row.source),
      rows.map((row) => JSON.stringify(row.reasons)),
      rows.map((row) => row.objectKey),
      rows.map((row) => row.sizeBytes),
    ],
  };
}

/** One page of the quarantine, newest first, older than `beforeId` where given. */
export function selectQuarantine(
  tenantId: string,
  page: { readonly beforeId: string | null; readonly rowsMax: number },
): Statement {
  return {
    text: `select quarantine_id, user_id, document_id, source, batch_tag, reasons, size_bytes, created_at from quarantine
           where tenant_id = $1 and ($2::text is null or quarantine_id < $2) order by quarantine_id desc limit $3::int`,
    params: [tenantId, page.beforeId, page.rowsMax],
  };
}
