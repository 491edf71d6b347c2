import { err, ok, type Result } from "../../base/result.ts";
import type { PiiPolicy } from "../../contract/pii.ts";
import type { Problem } from "../../contract/problem.ts";
import type { PiiKeyring } from "../../pii/keyring.ts";
import type { PiiKey } from "../../pii/pii-key.ts";

/** True for a policy whose placeholders have to open again. */
export function wantsSealing(policy: PiiPolicy): boolean {
  return policy.enabled && policy.reversible;
}

/**
 * The key that a tenant's placeholders are sealed with; undefined where its policy is content with numbered ones. Errors: `pii_key_missing`.
 * Nothing may be stored then: what a number stands for would be lost, though the tenant asked for it to be kept.
 */
export async function sealingKey(
  keyring: PiiKeyring | undefined,
  tenantId: string,
  policy: PiiPolicy,
): Promise<Result<PiiKey | undefined, Problem>> {
  if (!wantsSealing(policy)) return ok(undefined);
  const key = await keyring?.keyOf(tenantId);
  return key === undefined ? err({ code: "pii_key_missing" }) : ok(key);
}
