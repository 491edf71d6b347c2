/**
 * Prefixes of what nothing else could bring back: in order, none beginning another. Left out is what follows from these and the database (reports of
 * batches, audits and jobs, markers of batches), what only spares a client a repetition (remembered replies), and snapshots and removals themselves.
 */
export const TRUTH_PREFIXES = [
  "backups/",
  "deletions/",
  "dictionaries/",
  "dropped_batches/",
  "erasures/",
  "models/",
  "packs/",
  "quarantine/",
  "segments/",
  "sessions/",
  "summaries/",
  "wal/",
] as const;
