import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspectFile } from "../support/inspect-file.ts";

/** A chunk as `jeeves inspect` gives it. Offsets are UTF-16 units, end exclusive. */
export interface OwnChunk {
  readonly start: number;
  readonly end: number;
  /** What is embedded before the slice; '' for nothing. */
  readonly context: string;
}

/** Chunks of each text by its name, made by the command line from records without a title. */
export async function ownChunks(texts: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, readonly OwnChunk[]>> {
  const folder = await mkdtemp(join(tmpdir(), "jeeves-chunking-"));
  try {
    const path = join(folder, "corpora.jsonl");
    await writeFile(path, [...texts].map(([id, text]) => `${JSON.stringify({ id, text })}\n`).join(""));
    const inspections = await inspectFile(path, "chunks");
    return new Map(inspections.map(({ id, chunks }) => [id, chunks?.items ?? []]));
  } finally {
    await rm(folder, { recursive: true });
  }
}
