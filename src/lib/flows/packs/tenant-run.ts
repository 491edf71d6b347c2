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
 * What one run takes on, so that it stays under `limits.cpu_ms`, five minutes: zstd at level 19 takes 0.8 s for a million characters, which are 0.4 MB of a
 * pack. Each WAL object is one or two reads.
 */
export const RUN_BOUNDS = { characters: 48_000_000, walObjects: 6_000, compactedBytes: 48 * 1024 * 1024 } as const;
