import { z } from "zod";
import { tenantPolicySchema } from "../../contract/policy.ts";
import type { Statement } from "../sql.ts";

/** Makes a tenant. Twice means once: an existing one stays as it is. One row, `created` false when it was there. */
export function insertTenant(tenantId: string, displayName: string): Statement {
  return {
    text: `insert into tenants (tenant_id, display_name) values ($1, $2) on conflict (tenant_id) do nothing returning tenant_id`,
    params: [tenantId, displayName],
  };
}

export function selectPolicy(tenantId: string): Statement {
  return {
    text: "select policy, policy_version::float8 as policy_version from tenants where tenant_id = $1",
    params: [tenantId],
  };
}

export const policyRowSchema = z.object({ policy: tenantPolicySchema, policy_version: z.int() });

/** Puts a policy in force under the next version, and keeps it under that version. One row, or none for an unknown tenant. */
export function updatePolicy(
  tenantId: string,
  change: { readonly policyJson: string; readonly changedBy: string },
): Statement {
  return {
    text: `with changed as (
             update tenants set policy = $2::jsonb, policy_version = policy_version + 1 where tenant_id = $1
             returning tenant_id, policy, policy_version
           ), kept as (
             insert into policy_versions (tenant_id, policy_version, policy, changed_by)
             select tenant_id, policy_version, policy, $3 from changed
           )
           select policy, policy_version::float8 as policy_version from changed`,
    params: [tenantId, change.policyJson, change.changedBy],
  };
}
