import { z } from "zod";

/** What an audit checks beside counting. */
export const AUDIT_CHECKS = [
  "batch_counters",
  "batch_ledger",
  "scope_counters",
  "document_chunk_count",
  "vector_dimensions",
  "vector_norm",
  "vector_model",
  "chunk_hash",
  "chunk_text",
  "document_unreadable",
  "registry_differs",
] as const;
export type AuditCheck = (typeof AUDIT_CHECKS)[number];

export const auditDaySchema = z.iso.date();

const findingSchema = z.object({
  check: z.enum(AUDIT_CHECKS),
  count: z.int().min(1),
  subjects: z.array(z.string()).describe("ids of some of them; names of users as hashes"),
});
export type AuditFinding = z.infer<typeof findingSchema>;

/** Of one tenant. */
export const tenantAuditSchema = z.object({
  tenant_id: z.string(),
  counts: z.record(z.string(), z.number()).describe("by name, as docs/audit.md lists them"),
  findings: z.array(findingSchema),
  last_erased_at: z.iso.datetime().nullable().describe("when a user was last erased"),
  sample: z.object({
    after: z.string().describe("document behind which the next night goes on; '' from the first"),
    document_count: z.int(),
    chunk_count: z.int(),
    not_recomputable_count: z
      .int()
      .describe("documents that were cut by other rules than those of now, or whose tokenizer is not there"),
  }),
});
export type TenantAudit = z.infer<typeof tenantAuditSchema>;

const modelSchema = z.object({
  model_id: z.int(),
  fingerprint: z.string(),
  dimensions: z.int(),
  state: z.string(),
});

export const auditSchema = z.object({
  schema_version: z.literal(1),
  day: auditDaySchema,
  started_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  tenant_count: z.int(),
  unaudited: z.array(z.object({ tenant_id: z.string(), code: z.string() })).describe("tenants that could not be asked"),
  left_out_count: z.int().describe("tenants that are in the totals only"),
  totals: z.record(z.string(), z.number()),
  findings: z.array(findingSchema).describe("over all tenants, by check"),
  models: z.array(modelSchema),
  tenants: z.array(tenantAuditSchema),
});
export type Audit = z.infer<typeof auditSchema>;

const changeSchema = z.object({
  verdict: z.enum(["expected", "alarming"]),
  tenant_id: z.string().nullable().describe("null: of the whole store"),
  name: z.string(),
  before: z.union([z.number(), z.string(), z.null()]),
  after: z.union([z.number(), z.string(), z.null()]),
  reason: z.string(),
});
export type AuditChange = z.infer<typeof changeSchema>;

export const auditDiffSchema = z.object({
  schema_version: z.literal(1),
  day: auditDaySchema,
  previous_day: auditDaySchema.nullable().describe("null: there was no audit before"),
  alarming_count: z.int(),
  expected_count: z.int(),
  changes: z.array(changeSchema).describe("the alarming ones first; some, where there are many"),
});
export type AuditDiff = z.infer<typeof auditDiffSchema>;

export const auditListSchema = z.object({
  audits: z.array(z.object({ day: auditDaySchema, size_bytes: z.int(), has_diff: z.boolean() })),
});
