import type { PackTally } from "./tally.ts";

/** What the steps of a run share, for one tenant. */
export interface TenantRun {
  readonly tenantId: string;
  readonly isDryRun: boolean;
  readonly isSpent: () => boolean;
  /** Keeps the place that was reached; false: another run has the lease. */
  readonly checkpoint: () => Promise<boolean>;
  readonly tally: PackTally;
  /** What this run may still take on: over all tenants. */
  readonly left: { characters: number; walObjects: number; compactedBytes: number };
}

/**
 * What one run takes on. A minute of zstd at level 19 makes packs of about 40 million characters on one core; each WAL object is one or two reads, each page
 * of a thousand one listing.
 */
export const RUN_BOUNDS = { characters: 48_000_000, walObjects: 6_000, compactedBytes: 64 * 1024 * 1024 } as const;
