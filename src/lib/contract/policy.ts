import { z } from "zod";
import { gatePolicySchema } from "./gate-policy.ts";
import { piiPolicySchema } from "./pii.ts";
import { retrievalPolicySchema } from "./retrieval-policy.ts";
import { batchTagSchema } from "./scope.ts";

const duplicatesPolicySchema = z.strictObject({
  enabled: z.boolean().default(true).describe("false: equal texts are stored as often as they come"),
  near: z.boolean().default(true).describe("false: only texts that are equal after normalisation are duplicates"),
});

/**
 * When a batch counts as drifted. 0.25 is the customary limit of the population stability index (Siddiqi, Credit Risk Scorecards, 2006: under 0.1
 * no change, over 0.25 a major one); 0.1 bit of Jensen-Shannon divergence is what a source of 20 % that vanishes gives.
 */
const driftPolicySchema = z.strictObject({
  psi_max: z
    .number()
    .min(0)
    .max(100)
    .default(0.25)
    .describe("population stability index over which a dimension has drifted"),
  js_max: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe("Jensen-Shannon divergence, bits, over which a dimension has drifted"),
  documents_min: z
    .int()
    .min(10)
    .max(1_000_000)
    .default(50)
    .describe("inputs that both sides need to be compared: fewer say nothing"),
  baseline_batches: z
    .int()
    .min(1)
    .max(100)
    .default(10)
    .describe("batches before this one that make the rolling baseline"),
});

const quarantinePolicySchema = z.strictObject({
  retention_days: z
    .int()
    .min(1)
    .max(3650)
    .default(30)
    .describe("days after which the text of a quarantined input is removed; the decision stays"),
});

const retentionPolicySchema = z.strictObject({
  batch_days: z
    .int()
    .min(1)
    .max(36_500)
    .nullable()
    .default(null)
    .describe("days after its last input was applied that a batch is dropped, with its documents; null: never"),
  wal_days: z
    .int()
    .min(1)
    .max(36_500)
    .default(30)
    .describe("days that remembered replies are kept, and WAL objects once they are in a pack"),
  pinned: z.array(batchTagSchema).max(1_000).default([]).describe("batches that are never dropped"),
});

/** What a tenant asks of its inputs and searches: `tenants.policy`. `{}` is the default policy. */
export const tenantPolicySchema = z.strictObject({
  pii: piiPolicySchema.prefault({}),
  gate: gatePolicySchema.prefault({}),
  duplicates: duplicatesPolicySchema.prefault({}),
  drift: driftPolicySchema.prefault({}),
  quarantine: quarantinePolicySchema.prefault({}),
  retrieval: retrievalPolicySchema.prefault({}),
  retention: retentionPolicySchema.prefault({}),
});
export type TenantPolicy = z.infer<typeof tenantPolicySchema>;

export const DEFAULT_POLICY: TenantPolicy = tenantPolicySchema.parse({});

/** Reply of `GET` and `PUT /v1/admin/policy`. Version 0 is the default policy, which nobody has changed. */
export const policyReplySchema = z.object({
  policy_version: z.int().min(0),
  policy: tenantPolicySchema,
  effective_within_seconds: z.number().describe("after this time no edge judges by the policy before"),
});
