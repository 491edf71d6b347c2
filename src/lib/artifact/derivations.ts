import type { PackChunk, PackRecord } from "../contract/pack-record.ts";

/**
 * Functions that make a column from the others. A writer leaves out what they give exactly, a reader without them sees null. Hashes and keys are
 * most of a short record and cannot be compressed: 32 bytes each.
 */
export interface PackDerivations {
  readonly document_uid?: (record: PackRecord) => string | null;
  readonly content_hash?: (record: PackRecord) => string | null;
  readonly version_key?: (record: PackRecord) => string | null;
  readonly wal_key?: (record: PackRecord) => string | null;
  readonly chunkHash?: (record: PackRecord, chunk: PackChunk) => string | null;
}

const DERIVED = ["document_uid", "content_hash", "version_key", "wal_key"] as const;
type DerivedName = (typeof DERIVED)[number];

/** Whether the column follows from the others, so that it need not be written. */
export function isDerived(record: PackRecord, name: string, derivations: PackDerivations): boolean {
  if (!isDerivedName(name)) return false;
  const derive = derivations[name];
  return derive !== undefined && record[name] !== null && derive(record) === record[name];
}

function isDerivedName(name: string): name is DerivedName {
  return (DERIVED as readonly string[]).includes(name);
}

/** The record with what was left out. */
export function withDerived(record: PackRecord, derivations: PackDerivations): PackRecord {
  const derived: Partial<Record<DerivedName, string | null>> = {};
  for (const name of DERIVED) if (record[name] === null) derived[name] = derivations[name]?.(record) ?? null;
  const whole = { ...record, ...derived };
  const { chunkHash } = derivations;
  if (chunkHash === undefined) return whole;
  const chunks = record.chunks.map((chunk) =>
    chunk.chunk_hash === null ? { ...chunk, chunk_hash: chunkHash(whole, chunk) } : chunk,
  );
  return { ...whole, chunks };
}
