import type { BenchText } from "../support/read-texts.ts";

/** A record as it is packed into an artifact: small, with fields that repeat. */
export interface CpuRecord {
  readonly id: string;
  readonly source: string;
  readonly position: number;
  readonly text: string;
}

/** Characters of a record at most, cut at a blank line or a sentence: the size of a conversation's turn or a short paragraph. */
const RECORD_LENGTH_MAX = 600;
/** Records that the packing figures run over: about 10 MB, more than the processor's caches hold. */
const RECORDS_MAX = 20_000;

/** Records of texts, in order. Pure. */
export function recordsOf(texts: readonly BenchText[]): readonly CpuRecord[] {
  const records: CpuRecord[] = [];
  for (const { id, text } of texts) {
    let position = 0;
    for (const part of text.match(/[^\n.!?]+[\n.!?]+|[^\n.!?]+$/g) ?? []) {
      const last = records.at(-1);
      const joined = last?.source === id ? `${last.text}${part}` : part;
      if (last?.source === id && joined.length <= RECORD_LENGTH_MAX)
        records[records.length - 1] = { ...last, text: joined };
      else records.push({ id: `${id}-${position}`, source: id, position: position++, text: part });
      if (records.length >= RECORDS_MAX) return records;
    }
  }
  return records;
}

/** Equal parts of a list, the last one shorter. Pure. */
export function blocksOf<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
