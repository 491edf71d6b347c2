import { z } from "zod";
import type { Statement } from "../sql.ts";

/** How many ranges of each of the given WAL objects are in the ledger, and which. */
export function selectAppliedRanges(tenantId: string, walIds: readonly string[]): Statement {
  return {
    text: `select wal_id, array_agg(range_index order by range_index) as range_indexes from wal_ledger
           where tenant_id = $1 and wal_id = any($2::text[]) group by wal_id`,
    params: [tenantId, walIds],
  };
}

export const appliedRangesRowSchema = z.object({ wal_id: z.string(), range_indexes: z.array(z.int()) });
