import { assert } from "../base/assert.ts";
import { ok, type Result } from "../base/result.ts";
import type { PackRecord } from "../contract/pack-record.ts";
import type { ColumnError } from "./columns/column-error.ts";
import type { TextCoder } from "./columns/column-context.ts";
import type { WordCode } from "./columns/word-code.ts";
import { decodeBlock } from "./decode-block.ts";
import { encodeBlock } from "./encode-block.ts";
import type { EncodedBlock } from "./encoded-block.ts";
import type { DerivationContext } from "./derivations.ts";
import type { PackLimits } from "./pack-limits.ts";

/** Stands for a vector of the block, of which only is asked whether it is there. */
const PRESENT = new Float32Array();
/** Nothing is derived, so that what a block leaves out stays left out, by whichever rules it was. */
const NOTHING_DERIVED: DerivationContext = {
  derivations: {},
  head: { tenant_id: "", created_at_ms: 0, models: [], versions: {} },
};

/** The same block in other words: what it holds and what it leaves out stays as it is. */
export function recodeBlock(
  block: EncodedBlock,
  limits: PackLimits,
  { from, to }: { readonly from: WordCode | null; readonly to: TextCoder | null },
): Result<EncodedBlock, ColumnError> {
  const decoded = decodeBlock(block, limits, from);
  if (!decoded.ok) return decoded;
  const { records, hasVector } = decoded.value;
  return ok(encodeBlock(withPresence(records, hasVector), NOTHING_DERIVED, to));
}

function withPresence(records: readonly PackRecord[], hasVector: readonly boolean[]): readonly PackRecord[] {
  let index = 0;
  const marked = records.map((record) => ({
    ...record,
    chunks: record.chunks.map((chunk) => ({ ...chunk, vector: hasVector[index++] === true ? PRESENT : null })),
  }));
  assert(index === hasVector.length, "every chunk of a block says whether it has a vector");
  return marked;
}
