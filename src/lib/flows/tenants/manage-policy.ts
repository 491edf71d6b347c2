import type { z } from "zod";
import { FRESH_MS } from "../../auth/authenticator.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { policyReplySchema, TenantPolicy } from "../../contract/policy.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import { policyRowSchema, selectPolicy, updatePolicy } from "../../db/queries/tenants.ts";
import type { Row, Sql } from "../../db/sql.ts";
import type { PiiKeyring } from "../../pii/keyring.ts";
import { problemOfSql } from "../problem-of.ts";
import { wantsSealing } from "../judging/sealing-key.ts";

type PolicyReply = z.output<typeof policyReplySchema>;

/** The policy in force and its version. */
export async function readPolicy(sql: Sql, tenantId: string): Promise<Result<PolicyReply, Problem>> {
  const rows = await sql.transaction({ tenantId, userId: "" }, [selectPolicy(tenantId)], { readOnly: true });
  return rows.ok ? replyOf(rows.value[0]?.[0]) : err(problemOfSql(rows.error));
}

/**
 * Puts a whole policy in force. Edges judge by it once their copy of the key record is renewed: ten seconds at most. Errors: `body_invalid` for
 * placeholders that open again where the operator holds no key of the tenant; each of its requests would be refused.
 */
export async function changePolicy(
  { sql, piiKeys }: { readonly sql: Sql; readonly piiKeys?: PiiKeyring | undefined },
  principal: Principal,
  policy: TenantPolicy,
): Promise<Result<PolicyReply, Problem>> {
  const { tenantId, keyId } = principal;
  if (wantsSealing(policy.pii) && piiKeys?.has(tenantId) !== true) {
    const detail = "the operator holds no key of this tenant for reversible placeholders (PII_KEYS)";
    return err({ code: "body_invalid", pointer: "/pii/reversible", detail });
  }
  const change = updatePolicy(tenantId, { policyJson: JSON.stringify(policy), changedBy: keyId });
  const rows = await sql.transaction({ tenantId, userId: "" }, [change]);
  return rows.ok ? replyOf(rows.value[0]?.[0]) : err(problemOfSql(rows.error));
}

function replyOf(row: Row | undefined): Result<PolicyReply, Problem> {
  if (row === undefined) return err({ code: "not_found" });
  return ok({ ...policyRowSchema.parse(row), effective_within_seconds: FRESH_MS / 1000 });
}
