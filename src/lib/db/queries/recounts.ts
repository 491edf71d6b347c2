/** Counters held against what they count, each page in one statement, and counted anew where an operator asks for it. */
import { z } from "zod";
import type { Statement } from "../sql.ts";
import { pageEndSchema, type RowPage } from "./orphan-rows.ts";

/** The counters of a batch and what each adds up of its receipts. */
const COUNTED = {
  indexed_count: "count(*) filter (where r.outcome = 'indexed')",
  unchanged_count: "count(*) filter (where r.outcome = 'unchanged')",
  duplicate_count: "count(*) filter (where r.outcome = 'duplicate')",
  quarantined_count: "count(*) filter (where r.outcome = 'quarantined')",
  rejected_count: "count(*) filter (where r.outcome = 'rejected')",
  failed_count: "count(*) filter (where r.outcome = 'failed')",
  chunk_count: "coalesce(sum(r.chunk_count), 0)",
  chunk_reused_count: "coalesce(sum(r.chunk_reused_count), 0)",
  chunk_failed_count: "coalesce(sum(r.chunk_failed_count), 0)",
  token_count: "coalesce(sum(r.token_count), 0)",
} as const;
const COLUMNS = Object.keys(COUNTED);
const SUMS = Object.entries(COUNTED)
  .map(([column, sum]) => `${sum} as ${column}`)
  .join(", ");
const asRow = (alias: string): string => `(${COLUMNS.map((column) => `${alias}.${column}`).join(", ")})`;

/** Batches whose counters are not the sums of their receipts, or whose receipts are not as many as their ranges in the ledger have inputs. */
export function selectBatchRecounts(tenantId: string, { after, rowsMax }: RowPage): Statement {
  return {
    text: `with page as materialized (
             select batch_tag, ${COLUMNS.join(", ")} from batches
             where tenant_id = $1 and ($2 = '' or batch_tag > (nullif($2, '')::jsonb ->> 0)) order by batch_tag limit $3::int),
           counted as (
             select p.batch_tag, c.*, (select coalesce(sum(l.document_count), 0) from wal_ledger l where l.tenant_id = $1 and l.batch_tag = p.batch_tag)
               as input_count
             from page p cross join lateral (
               select count(*) as receipt_count, ${SUMS} from receipts r where r.tenant_id = $1 and r.batch_tag = p.batch_tag) c)
           select (select count(*) from page)::int as row_count,
             coalesce((select jsonb_build_array(batch_tag)::text from page order by batch_tag desc limit 1), '') as last, (
             select coalesce(jsonb_agg(to_jsonb(f) order by f.batch_tag), '[]') from (
               select p.batch_tag, ${asRow("p")} is distinct from ${asRow("c")} as is_counter_off, c.receipt_count <> c.input_count as is_ledger_off
               from page p join counted c using (batch_tag)) f where f.is_counter_off or f.is_ledger_off) as batches`,
    params: [tenantId, after, rowsMax],
  };
}

export const batchRecountsSchema = pageEndSchema.extend({
  batches: z.array(z.object({ batch_tag: z.string(), is_counter_off: z.boolean(), is_ledger_off: z.boolean() })),
});

/** Counts a batch anew. The lock first: what commits its receipts has added them by then, what has not adds them to the new count. */
export function recountBatch(tenantId: string, batchTag: string): readonly Statement[] {
  return [
    { text: "select 1 from batches where tenant_id = $1 and batch_tag = $2 for update", params: [tenantId, batchTag] },
    {
      text: `update batches b set (${COLUMNS.join(", ")}) = (
               select ${Object.values(COUNTED).join(", ")} from receipts r where r.tenant_id = $1 and r.batch_tag = $2)
             where b.tenant_id = $1 and b.batch_tag = $2`,
      params: [tenantId, batchTag],
    },
  ];
}

/** Places whose statistics are not what the chunks of a page of users add up to. Users are found by the index, one look-up each. */
export function selectScopeRecounts(tenantId: string, { after, rowsMax }: RowPage): Statement {
  return {
    text: `with recursive begin as (select nullif($2, '')::jsonb ->> 0 as user_id),
           chunk_users as (
             (select e.user_id, 1 as place from doc_embeddings e
              where e.tenant_id = $1 and ($2 = '' or e.user_id > (select user_id from begin)) order by e.user_id limit 1)
             union all
             select (select e.user_id from doc_embeddings e where e.tenant_id = $1 and e.user_id > u.user_id order by e.user_id limit 1), u.place + 1
             from chunk_users u where u.user_id is not null and u.place < $3::int),
           counted_users as (
             select distinct user_id from scope_counts where tenant_id = $1 and ($2 = '' or user_id > (select user_id from begin))
             order by user_id limit $3::int),
           page as materialized (
             select user_id from (select user_id from chunk_users where user_id is not null union select user_id from counted_users) u
             order by user_id limit $3::int),
           counted as (
             select user_id, tier, model_id, count(*) as chunk_count, sum(lexeme_count) as lexeme_total from doc_embeddings
             where tenant_id = $1 and user_id = any(array(select user_id from page)) group by 1, 2, 3),
           kept as (
             select user_id, tier, model_id, chunk_count, lexeme_total from scope_counts
             where tenant_id = $1 and user_id = any(array(select user_id from page)))
           select (select count(*) from page)::int as row_count,
             coalesce((select jsonb_build_array(user_id)::text from page order by user_id desc limit 1), '') as last, (
             select coalesce(jsonb_agg(jsonb_build_object('user_id', user_id, 'tier', tier, 'model_id', model_id)), '[]')
             from counted c full join kept k using (user_id, tier, model_id)
             where (coalesce(c.chunk_count, 0), coalesce(c.lexeme_total, 0)) is distinct from (coalesce(k.chunk_count, 0), coalesce(k.lexeme_total, 0)))
             as scopes`,
    params: [tenantId, after, rowsMax],
  };
}

const countedScopeSchema = z.object({ user_id: z.string(), tier: z.string(), model_id: z.int() });
export type CountedScope = z.infer<typeof countedScopeSchema>;
export const scopeRecountsSchema = pageEndSchema.extend({ scopes: z.array(countedScopeSchema) });

/** Counts one place anew, with its row locked as the triggers of doc_embeddings lock it. */
export function recountScope(tenantId: string, scope: CountedScope): readonly Statement[] {
  const place = "tenant_id = $1 and user_id = $2 and tier = $3 and model_id = $4::int";
  const params = [tenantId, scope.user_id, scope.tier, scope.model_id];
  return [
    {
      text: "insert into scope_counts (tenant_id, user_id, tier, model_id) values ($1, $2, $3, $4::int) on conflict do nothing",
      params,
    },
    { text: `select 1 from scope_counts where ${place} for update`, params },
    {
      text: `update scope_counts set (chunk_count, lexeme_total) = (
               select count(*), coalesce(sum(lexeme_count), 0) from doc_embeddings where ${place}) where ${place}`,
      params,
    },
  ];
}
