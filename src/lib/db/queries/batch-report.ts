/** What a report says beyond the counters. Counted from the receipts alone: a document may have other versions by now. */
import { z } from "zod";
import type { Statement } from "../sql.ts";

// int8 travels as text.
const countSchema = z.coerce.number().int();

/** Outcomes of a batch with their reasons. */
export function selectReasonCounts(tenantId: string, batchTag: string): Statement {
  return {
    text: `select r.outcome, coalesce(reason ->> 'code', '') as code, count(*) as input_count
           from receipts r left join lateral jsonb_array_elements(r.reasons) reason on true
           where r.tenant_id = $1 and r.batch_tag = $2 group by 1, 2 order by 1, 2`,
    params: [tenantId, batchTag],
  };
}

export const reasonCountRowSchema = z.object({ outcome: z.string(), code: z.string(), input_count: countSchema });

/** Sources and tiers of one report. */
const SOURCES_MAX = 1000;

/** Inputs by source and tier, with how they ended. */
export function selectSourceCounts(tenantId: string, batchTag: string): Statement {
  return {
    text: `select r.source, r.tier, count(*) as input_count,
             count(*) filter (where outcome = 'indexed') as indexed, count(*) filter (where outcome = 'unchanged') as unchanged,
             count(*) filter (where outcome = 'duplicate') as duplicate, count(*) filter (where outcome = 'quarantined') as quarantined,
             count(*) filter (where outcome = 'rejected') as rejected, count(*) filter (where outcome = 'failed') as failed,
             count(*) filter (where r.relaxed_step > 0) as relaxed_count, sum(r.chunk_count) as chunk_count,
             sum(r.token_count) as token_count
           from receipts r where r.tenant_id = $1 and r.batch_tag = $2
           group by r.source, r.tier order by r.source collate "C", r.tier limit $3::int`,
    params: [tenantId, batchTag, SOURCES_MAX],
  };
}

export const sourceCountRowSchema = z.object({
  source: z.string(),
  tier: z.string(),
  input_count: countSchema,
  indexed: countSchema,
  unchanged: countSchema,
  duplicate: countSchema,
  quarantined: countSchema,
  rejected: countSchema,
  failed: countSchema,
  relaxed_count: countSchema,
  chunk_count: countSchema,
  token_count: countSchema,
});

/** Accepted inputs by the step of relaxation that let them in. */
export function selectRelaxationCounts(tenantId: string, batchTag: string): Statement {
  return {
    text: `select relaxed_step as step, count(*) as input_count from receipts
           where tenant_id = $1 and batch_tag = $2 and outcome in ('indexed', 'unchanged', 'duplicate', 'failed')
           group by relaxed_step order by relaxed_step`,
    params: [tenantId, batchTag],
  };
}

export const relaxationCountRowSchema = z.object({ step: z.int(), input_count: countSchema });

export function selectPiiCounts(tenantId: string, batchTag: string): Statement {
  return {
    text: `select p.key as type, sum(p.value::int) as span_count, count(*) as input_count
           from receipts r cross join lateral jsonb_each_text(r.pii_counts) p
           where r.tenant_id = $1 and r.batch_tag = $2 group by p.key order by p.key collate "C"`,
    params: [tenantId, batchTag],
  };
}

export const piiCountRowSchema = z.object({ type: z.string(), span_count: countSchema, input_count: countSchema });

export function selectVersionCounts(tenantId: string, batchTag: string): Statement {
  return {
    text: `select gate_version, pii_version, policy_version, count(*) as input_count from receipts
           where tenant_id = $1 and batch_tag = $2
           group by gate_version, pii_version, policy_version order by policy_version, gate_version collate "C", pii_version collate "C"`,
    params: [tenantId, batchTag],
  };
}

export const versionCountRowSchema = z.object({
  gate_version: z.string(),
  pii_version: z.string(),
  policy_version: countSchema,
  input_count: countSchema,
});

/** The models that this batch's inputs were embedded with. */
export function selectBatchModels(tenantId: string, batchTag: string): Statement {
  return {
    text: `select m.fingerprint, m.model_name, m.dimensions from embedding_models m
           where m.model_id in (select r.model_id from receipts r where r.tenant_id = $1 and r.batch_tag = $2) order by m.fingerprint`,
    params: [tenantId, batchTag],
  };
}

export const batchModelRowSchema = z.object({ fingerprint: z.string(), model_name: z.string(), dimensions: z.int() });

/** Groups of one profile, the largest first: what is left out is the longest tail of sources. */
const GROUPS_MAX = 20_000;

/** Inputs of a batch that are alike in all that drift is measured by. */
export function selectInputGroups(tenantId: string, batchTag: string): Statement {
  return {
    text: `select source, tier, language, outcome,
             case when character_count > 0 then floor(log(2, character_count))::int else -1 end as length_class, count(*) as input_count
           from receipts where tenant_id = $1 and batch_tag = $2
           group by 1, 2, 3, 4, 5 order by count(*) desc, source collate "C", tier, language, outcome, length_class limit $3::int`,
    params: [tenantId, batchTag, GROUPS_MAX],
  };
}

export const inputGroupRowSchema = z.object({
  source: z.string(),
  tier: z.string(),
  language: z.string(),
  outcome: z.string(),
  length_class: z.int(),
  input_count: countSchema,
});

/**
 * The first request of a batch, whose ulid says when it began. `offset 0` keeps the planner from walking along the keys of the tenant's receipts until it
 * meets one of the batch.
 */
export function selectFirstRequest(tenantId: string, batchTag: string): Statement {
  return {
    text: `select min(wal_id) as wal_id from (
             select wal_id from receipts where tenant_id = $1 and batch_tag = $2 offset 0) r`,
    params: [tenantId, batchTag],
  };
}

export const firstRequestRowSchema = z.object({ wal_id: z.string().nullable() });
