import { DEFAULT_POLICY } from "../../contract/policy.ts";
import type { Principal } from "../../contract/principal.ts";
import { SYSTEM_TENANT_PREFIX, TIERS, type Tier } from "../../contract/scope.ts";

/** A synthetic user who owns one near-identical secret in every tier. */
export interface Canary {
  readonly principal: Principal;
  /** The word that tells this canary's texts from all others'. */
  readonly bird: string;
}

/** The same document id for all of them. */
export const CANARY_DOCUMENT_ID = "song";

/** Two tenants with two users each, whose names are the same. No client can have a key of these tenants: see `createKey`. */
export const CANARIES: readonly Canary[] = [
  canary("1", "ann", "heron"),
  canary("1", "bob", "plover"),
  canary("2", "ann", "osprey"),
  canary("2", "bob", "curlew"),
];

function canary(tenant: string, userId: string, bird: string): Canary {
  const tenantId = `${SYSTEM_TENANT_PREFIX}canary-${tenant}`;
  const limits = { expiresAtMs: null, policy: DEFAULT_POLICY, policyVersion: 0 };
  return { principal: { keyId: "isolation-canary", tenantId, userId, scopes: ["ingest", "search"], ...limits }, bird };
}

/** What the canary keeps to itself in a tier. */
export function songOf({ bird }: Canary, tier: Tier): string {
  return `The canary of the ${tier} cage sings in the morning for the ${bird} alone, and nobody else may hear it.`;
}

/** Body of an ingest request with a secret for each tier. */
export function canaryDocuments(own: Canary): unknown {
  return {
    documents: TIERS.map((tier) => ({ id: CANARY_DOCUMENT_ID, tier, source: "canary", text: songOf(own, tier) })),
  };
}
