import { ok } from "../../../lib/base/result.ts";
import { policyReplySchema, tenantPolicySchema } from "../../../lib/contract/policy.ts";
import { changePolicy, readPolicy } from "../../../lib/flows/tenants/manage-policy.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

export const adminPolicyRoutes = [
  route({
    method: "GET",
    path: "/v1/admin/policy",
    operationId: "readPolicy",
    area: "admin",
    summary: "What the tenant asks of its inputs: quality, personal data, duplicates, drift, retention",
    access: "admin",
    replies: { 200: { description: "The policy in force", schema: policyReplySchema } },
    problems: ["not_found", "database_unavailable"],
    async handle(call) {
      const policy = await readPolicy(call.context.sql, principalOf(call).tenantId);
      return policy.ok ? ok(json(policy.value)) : policy;
    },
  }),
  route({
    method: "PUT",
    path: "/v1/admin/policy",
    operationId: "changePolicy",
    area: "admin",
    summary: "Put a policy in force; what is left out has its default",
    description: "`pii.reversible` is refused where the operator holds no key of the tenant (PII_KEYS).",
    access: "admin",
    body: tenantPolicySchema,
    replies: { 200: { description: "The policy now in force, with its version", schema: policyReplySchema } },
    problems: ["not_found", "database_unavailable"],
    async handle(call, { body }) {
      const policy = await changePolicy(call.context, principalOf(call), body);
      if (policy.ok) call.facts["policy_version"] = policy.value.policy_version;
      return policy.ok ? ok(json(policy.value)) : policy;
    },
  }),
];
