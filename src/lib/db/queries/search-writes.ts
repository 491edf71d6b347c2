import { z } from "zod";
import type { Statement } from "../sql.ts";

/** How many inputs of each of the given WAL objects have ended. */
export function selectAppliedDocuments(tenantId: string, walIds: readonly string[]): Statement {
  return {
    text: `select wal_id, sum(document_count)::int as document_count from wal_ledger
           where tenant_id = $1 and wal_id = any($2::text[]) group by wal_id`,
    params: [tenantId, walIds],
  };
}

export const appliedDocumentsRowSchema = z.object({ wal_id: z.string(), document_count: z.int() });
