/** Which tenants a synthetic store has. Pure. */

export interface PlannedTenant {
  readonly tenantId: string;
  readonly chunkCount: number;
}

export interface TenantPlan {
  /** Two fifths of all rows in one tenant. */
  readonly giant: PlannedTenant;
  /** Lies in the giant's partition: its rows are few of what an index there brings up. */
  readonly middle: PlannedTenant;
  /** Lies in the giant's partition too and is searched exactly. */
  readonly small: PlannedTenant;
  /** All, with those above. The rest shares what is left in proportion to 1, 1/2, 1/3 … */
  readonly tenants: readonly PlannedTenant[];
}

export interface NamesBesideGiant {
  readonly giant: string;
  readonly middle: string;
  readonly small: string;
}

const GIANT_SHARE = 0.4;
const MIDDLE_SHARE = 0.06;
const SMALL_SHARE = 0.005;
const TENANTS_MIN = 4;

/** Tenants of very unequal size that have `chunkCount` chunks together. */
export function planTenants(chunkCount: number, tenantCount: number, names: NamesBesideGiant): TenantPlan {
  if (tenantCount < TENANTS_MIN) throw new Error(`a store needs ${TENANTS_MIN} tenants at least`);
  const tenantOf = (tenantId: string, share: number): PlannedTenant => ({
    tenantId,
    chunkCount: Math.max(1, Math.round(share * chunkCount)),
  });
  const giant = tenantOf(names.giant, GIANT_SHARE);
  const middle = tenantOf(names.middle, MIDDLE_SHARE);
  const small = tenantOf(names.small, SMALL_SHARE);
  const otherCount = tenantCount - 3;
  const weights = Array.from({ length: otherCount }, (_, rank) => 1 / (rank + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const left = 1 - GIANT_SHARE - MIDDLE_SHARE - SMALL_SHARE;
  const others = weights.map((weight, rank) => tenantOf(`tenant-${rank}`, (left * weight) / total));
  return { giant, middle, small, tenants: [giant, middle, small, ...others] };
}
