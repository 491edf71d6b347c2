import type { PackReader } from "../../lib/artifact/pack-reader.ts";
import type { PackRecord } from "../../lib/contract/pack-record.ts";
import { CommandError } from "../command-error.ts";
import { packErrorText } from "./open-pack-file.ts";

/** Which records of a pack are wanted: one by place, one by id, or all. */
export interface RecordChoice {
  readonly position: number | undefined;
  readonly documentId: string | undefined;
  readonly userId: string;
}

/** The chosen records, block by block. */
export async function* chosenRecords(reader: PackReader, choice: RecordChoice): AsyncGenerator<PackRecord> {
  const { position, documentId, userId } = choice;
  if (position === undefined && documentId === undefined) {
    for (const block of reader.footer.blocks.keys()) yield* valueOf(await reader.readBlock(block));
    return;
  }
  const found =
    documentId === undefined
      ? await reader.readRecord(position ?? 0)
      : await reader.findRecord({ user_id: userId, document_id: documentId });
  const record = valueOf(found);
  if (record === undefined) throw new CommandError("the pack has no such record");
  yield record;
}

function valueOf<T>(result: { ok: true; value: T } | { ok: false; error: Parameters<typeof packErrorText>[0] }): T {
  if (!result.ok) throw new CommandError(packErrorText(result.error));
  return result.value;
}

/** A record as one JSON line; vectors only where they are asked for. */
export function recordLine(record: PackRecord, hasVectors: boolean): string {
  return JSON.stringify({
    ...record,
    chunks: record.chunks.map(({ vector, ...chunk }) =>
      hasVectors && vector !== null ? { ...chunk, vector: [...vector] } : chunk,
    ),
  });
}
