/** What a run of the pack job did, or would do. Counts and codes only. */
export interface PackTally {
  tenantCount: number;
  packCount: number;
  packedDocumentCount: number;
  packedBytes: number;
  /** Of their texts: by them the ratio of the packs is told. */
  packedCharacters: number;
  /** WAL objects that went, and those that stay until no snapshot names them. */
  removedWalCount: number;
  removedWalBytes: number;
  heldBySnapshotCount: number;
  /** WAL objects past their days that stay, by why: work that waits, a dead range, an undecided input, a text that is in no pack. */
  readonly keptWal: { unapplied: number; dead: number; undecided: number; unpacked: number };
  /** Packs that were written anew without what holds no more, or together with other small ones. */
  compactedPackCount: number;
  /** Objects of runs that died: those that were deleted, and packs that were taken over. */
  orphanCount: number;
  adoptedPackCount: number;
  /** Documents whose text could not be read: their WAL object stays. */
  unreadableCount: number;
  /** Codes of what failed, with how often. */
  readonly failures: Record<string, number>;
}

export function newTally(): PackTally {
  return {
    tenantCount: 0,
    packCount: 0,
    packedDocumentCount: 0,
    packedBytes: 0,
    packedCharacters: 0,
    removedWalCount: 0,
    removedWalBytes: 0,
    heldBySnapshotCount: 0,
    keptWal: { unapplied: 0, dead: 0, undecided: 0, unpacked: 0 },
    compactedPackCount: 0,
    orphanCount: 0,
    adoptedPackCount: 0,
    unreadableCount: 0,
    failures: {},
  };
}

export function noteFailure(tally: PackTally, code: string): void {
  tally.failures[code] = (tally.failures[code] ?? 0) + 1;
}
