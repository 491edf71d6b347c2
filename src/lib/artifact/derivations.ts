import type { PackChunk, PackRecord } from "../contract/pack-record.ts";
import type { PackHead } from "./pack-footer.ts";

/**
 * Functions that make a column from the others and from what the pack says of itself: its tenant, and the versions of the rules that hashes follow
 * from. A writer leaves out what they give exactly, a reader without them sees null. Hashes and keys are most of a short record and cannot be
 * compressed: 32 bytes each.
 */
export interface PackDerivations {
  readonly document_uid?: Derive<string>;
  readonly content_hash?: Derive<string>;
  readonly version_key?: Derive<string>;
  readonly wal_key?: Derive<string>;
  readonly chunk_hash?: DeriveOfChunk<string>;
  readonly text_hash?: DeriveOfChunk<number>;
}

type Derive<T> = (record: PackRecord, head: PackHead) => T | null;
type DeriveOfChunk<T> = (record: PackRecord, chunk: PackChunk, head: PackHead) => T | null;

/** Derivations, and the head of the pack that they are for. */
export interface DerivationContext {
  readonly derivations: PackDerivations;
  readonly head: PackHead;
}

const DERIVED = ["document_uid", "content_hash", "version_key", "wal_key"] as const;
type DerivedName = (typeof DERIVED)[number];
const DERIVED_OF_CHUNK = ["chunk_hash", "text_hash"] as const;

/** Whether the column follows from the others, so that it need not be written. */
export function isDerived(record: PackRecord, name: string, { derivations, head }: DerivationContext): boolean {
  if (!isNameIn(DERIVED, name)) return false;
  const derive = derivations[name];
  return derive !== undefined && record[name] !== null && derive(record, head) === record[name];
}

/** The same for a column of a chunk. */
export function isDerivedOfChunk(
  { document, chunk }: { readonly document: PackRecord; readonly chunk: PackChunk },
  name: string,
  { derivations, head }: DerivationContext,
): boolean {
  if (!isNameIn(DERIVED_OF_CHUNK, name)) return false;
  const derive = derivations[name];
  return derive !== undefined && chunk[name] !== null && derive(document, chunk, head) === chunk[name];
}

function isNameIn<Name extends string>(names: readonly Name[], name: string): name is Name {
  return (names as readonly string[]).includes(name);
}

/** The record with what was left out. */
export function withDerived(record: PackRecord, { derivations, head }: DerivationContext): PackRecord {
  const derived: Partial<Record<DerivedName, string | null>> = {};
  for (const name of DERIVED) if (record[name] === null) derived[name] = derivations[name]?.(record, head) ?? null;
  const whole = { ...record, ...derived };
  const { chunk_hash: hashOf, text_hash: textHashOf } = derivations;
  if (hashOf === undefined && textHashOf === undefined) return whole;
  const chunks = record.chunks.map((chunk) => ({
    ...chunk,
    chunk_hash: chunk.chunk_hash ?? hashOf?.(whole, chunk, head) ?? null,
    text_hash: chunk.text_hash ?? textHashOf?.(whole, chunk, head) ?? null,
  }));
  return { ...whole, chunks };
}
