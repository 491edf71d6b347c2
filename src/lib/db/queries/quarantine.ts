import { z } from "zod";
import { tierSchema } from "../../contract/scope.ts";
import { reasonSchema, type Reason } from "../../contract/verdict.ts";
import type { Scope, Statement } from "../sql.ts";
import { isErasedSql } from "./user-erasures.ts";

/** `held`: waits for a decision. `releasing`: decided, and on its way. `released`: accepted again. `purged`: its text is gone for good. */
export const quarantineStateSchema = z.enum(["held", "releasing", "released", "purged"]);

export interface QuarantineRow {
  readonly quarantineId: string;
  readonly userId: string;
  readonly documentId: string;
  readonly documentIndex: number;
  readonly tier: string;
  readonly source: string;
  readonly reasons: readonly Reason[];
  readonly versionKey: string;
  readonly objectKey: string;
  readonly objectRange: number;
  readonly sizeBytes: number;
}

/** Lists quarantined inputs, but none of a user who was erased after it had been sent. Twice means once: the id is the receipt's. */
export function insertQuarantine(tenantId: string, batchTag: string, rows: readonly QuarantineRow[]): Statement {
  return {
    text: `insert into quarantine (tenant_id, batch_tag, quarantine_id, user_id, document_id, document_index, tier, source, reasons,
             version_key, object_key, object_range, size_bytes)
           select $1, $2, r.quarantine_id, r.user_id, r.document_id, r.document_index, r.tier, r.source, r.reasons::jsonb, r.version_key,
             r.object_key, r.object_range, r.size_bytes
           from unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
             $12::int[], $13::int[])
             as r (quarantine_id, user_id, document_id, document_index, tier, source, reasons, version_key, object_key, object_range,
               size_bytes)
           where ${isErasedSql("r.version_key", "r.user_id")} is not true
           on conflict (tenant_id, quarantine_id) do nothing`,
    params: [
      tenantId,
      batchTag,
      rows.map((row) => row.quarantineId),
      rows.map((row) => row.userId),
      rows.map((row) => row.documentId),
      rows.map((row) => row.documentIndex),
      rows.map((row) => row.tier),
      rows.map((row) => row.source),
      rows.map((row) => JSON.stringify(row.reasons)),
      rows.map((row) => row.versionKey),
      rows.map((row) => row.objectKey),
      rows.map((row) => row.objectRange),
      rows.map((row) => row.sizeBytes),
    ],
  };
}

const COLUMNS = `tenant_id, quarantine_id, user_id, document_id, document_index, tier, source, batch_tag, reasons, version_key, object_key,
  object_range, size_bytes, state, decided_by, decided_at, decision_note, release_wal_id, text_removed_at, created_at`;

export const quarantineRowSchema = z.object({
  tenant_id: z.string(),
  quarantine_id: z.string(),
  user_id: z.string(),
  document_id: z.string(),
  document_index: z.int(),
  tier: tierSchema,
  source: z.string(),
  batch_tag: z.string(),
  reasons: z.array(reasonSchema),
  version_key: z.string(),
  object_key: z.string(),
  object_range: z.int(),
  size_bytes: z.int(),
  state: quarantineStateSchema,
  decided_by: z.string().nullable(),
  decided_at: z.date().nullable(),
  decision_note: z.string(),
  release_wal_id: z.string().nullable(),
  text_removed_at: z.date().nullable(),
  created_at: z.date(),
});
export type QuarantineRecord = z.infer<typeof quarantineRowSchema>;

/** One page of the quarantine, newest first, older than `beforeId` where given, in one state where given. */
export function selectQuarantine(
  { tenantId, userId }: Scope,
  page: { readonly beforeId: string | null; readonly state: string | null; readonly rowsMax: number },
): Statement {
  return {
    text: `select ${COLUMNS} from quarantine where tenant_id = $1 and ($2 = '*' or user_id in ('', $2))
             and ($3::text is null or quarantine_id < $3) and ($4::text is null or state = $4)
           order by quarantine_id desc limit $5::int`,
    params: [tenantId, userId, page.beforeId, page.state, page.rowsMax],
  };
}

export function selectQuarantined({ tenantId, userId }: Scope, quarantineId: string): Statement {
  return {
    text: `select ${COLUMNS} from quarantine where tenant_id = $1 and ($2 = '*' or user_id in ('', $2)) and quarantine_id = $3`,
    params: [tenantId, userId, quarantineId],
  };
}

export interface QuarantineDecision {
  readonly quarantineId: string;
  readonly decidedBy: string;
  readonly note: string;
}

/** Decides a release: the first decision stays, with the WAL id under which the input comes again. No effect on what is decided already. */
export function beginRelease(tenantId: string, decision: QuarantineDecision & { readonly walId: string }): Statement {
  return {
    text: `update quarantine set state = 'releasing', release_wal_id = $3, decided_by = $4, decided_at = now(), decision_note = $5
           where tenant_id = $1 and quarantine_id = $2 and state = 'held' and text_removed_at is null`,
    params: [tenantId, decision.quarantineId, decision.walId, decision.decidedBy, decision.note],
  };
}

export function endRelease(tenantId: string, quarantineId: string): Statement {
  return {
    text: "update quarantine set state = 'released' where tenant_id = $1 and quarantine_id = $2 and state = 'releasing'",
    params: [tenantId, quarantineId],
  };
}

/** Decides that a held input goes. What was released stays released: only its text in quarantine goes. */
export function decidePurge(tenantId: string, decision: QuarantineDecision): Statement {
  return {
    text: `update quarantine set state = 'purged', decided_by = $3, decided_at = now(), decision_note = $4
           where tenant_id = $1 and quarantine_id = $2 and state = 'held'`,
    params: [tenantId, decision.quarantineId, decision.decidedBy, decision.note],
  };
}

/** Notes that the texts are gone. Held inputs whose time is over become purged by `decidedBy`. */
export function markTextsRemoved(
  tenantId: string,
  removal: { readonly quarantineIds: readonly string[]; readonly decidedBy: string },
): Statement {
  return {
    text: `update quarantine set text_removed_at = coalesce(text_removed_at, now()),
             decided_by = case when state = 'held' then $3 else decided_by end,
             decided_at = case when state = 'held' then now() else decided_at end,
             state = case when state = 'held' then 'purged' else state end
           where tenant_id = $1 and quarantine_id = any($2::text[]) and state <> 'releasing'`,
    params: [tenantId, removal.quarantineIds, removal.decidedBy],
  };
}

/** Inputs whose text is older than `retentionDays`, or whose purge was interrupted, oldest first. */
export function selectExpired(tenantId: string, retentionDays: number, rowsMax: number): Statement {
  return {
    text: `select quarantine_id, object_key, document_index from quarantine
           where tenant_id = $1 and text_removed_at is null and state <> 'releasing'
             and (state = 'purged' or created_at < now() - make_interval(days => $2::int))
           order by created_at, quarantine_id limit $3::int`,
    params: [tenantId, retentionDays, rowsMax],
  };
}

export const expiredRowSchema = z.object({
  quarantine_id: z.string(),
  object_key: z.string(),
  document_index: z.int(),
});
