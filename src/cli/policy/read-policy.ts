import { readFile } from "node:fs/promises";
import { z } from "zod";
import { DEFAULT_POLICY, type TenantPolicy, tenantPolicySchema } from "../../lib/contract/policy.ts";
import { usageError } from "../command-error.ts";

/** The policy of a JSON file in the form of `PUT /v1/admin/policy`, or the default one. */
export async function readPolicy(path: string | undefined): Promise<TenantPolicy> {
  if (path === undefined) return DEFAULT_POLICY;
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch {
    throw usageError(`--policy: "${path}" cannot be read as JSON`);
  }
  const policy = tenantPolicySchema.safeParse(value);
  if (!policy.success) throw usageError(`--policy: ${z.prettifyError(policy.error)}`);
  return policy.data;
}

/** Says that a command without the tenant's key numbers what the service seals. */
export function warnOfNumbers({ pii }: TenantPolicy): void {
  if (!pii.enabled || !pii.reversible) return;
  console.error(
    "pii.reversible: placeholders are numbered here, since the tenant's key is the service's; what they stand for is not kept",
  );
}
