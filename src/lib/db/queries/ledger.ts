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

/** One applied range: the dedupe key that commits with its effect. A second commit fails with `unique_violation`. */
export interface RangeKey {
  readonly tenantId: string;
  readonly walId: string;
  readonly rangeIndex: number;
}

/** Whether a range was applied before. */
export function selectLedgerRow(key: RangeKey): Statement {
  return {
    text: "select state from wal_ledger where tenant_id = $1 and wal_id = $2 and range_index = $3::int",
    params: [key.tenantId, key.walId, key.rangeIndex],
  };
}

export function insertLedgerRow(
  key: RangeKey,
  row: { readonly batchTag: string; readonly state: "applied" | "dead"; readonly documentCount: number },
): Statement {
  return {
    text: `insert into wal_ledger (tenant_id, wal_id, range_index, batch_tag, state, document_count)
           values ($1, $2, $3::int, $4, $5, $6::int)`,
    params: [key.tenantId, key.walId, key.rangeIndex, row.batchTag, row.state, row.documentCount],
  };
}
