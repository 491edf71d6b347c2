import { createReadStream } from "node:fs";
import { mkdir, open, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { metadataSchema } from "../../lib/contract/document.ts";
import { tierSchema } from "../../lib/contract/scope.ts";
import { type InputFile, STDIN } from "../readers/find-files.ts";
import { READERS_VERSION } from "../readers/read-file.ts";
import { type ReadItem, READ_REFUSALS, type ReadRefusalCode } from "../readers/read-item.ts";

const documentSchema = z.strictObject({
  kind: z.literal("document"),
  id: z.string(),
  text: z.string(),
  title: z.string().exactOptional(),
  source: z.string().exactOptional(),
  tier: tierSchema.exactOptional(),
  userId: z.string().exactOptional(),
  occurredAt: z.string().exactOptional(),
  metadata: metadataSchema,
});
const refusalSchema = z.strictObject({
  kind: z.literal("refusal"),
  code: z.string().refine((code): code is ReadRefusalCode => code in READ_REFUSALS),
  record: z.int().exactOptional(),
  detail: z.string().exactOptional(),
});
const entrySchema = z.strictObject({
  readers: z.literal(READERS_VERSION),
  key: z.string(),
  items: z.array(z.union([documentSchema, refusalSchema])),
});

const FILE_NAME = ".read-journal.jsonl";
const OWNER_ONLY = 0o600;

/**
 * What an interrupted curation has read already: one line per finished file. A file that has changed since is read again. It holds texts
 * as they were before curation, so only its owner may read it, and it is removed when the results are written.
 */
export class ReadJournal {
  readonly #path: string;
  readonly #known: ReadonlyMap<string, readonly ReadItem[]>;
  #handle: FileHandle | undefined;

  private constructor(path: string, known: ReadonlyMap<string, readonly ReadItem[]>) {
    this.#path = path;
    this.#known = known;
  }

  static async open(folder: string): Promise<ReadJournal> {
    await mkdir(folder, { recursive: true });
    const path = join(folder, FILE_NAME);
    const known = new Map<string, readonly ReadItem[]>();
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    if (isThere) {
      for await (const line of createInterface({ input: createReadStream(path) })) {
        const entry = entrySchema.safeParse(parsed(line));
        if (entry.success) known.set(entry.data.key, entry.data.items);
      }
    }
    return new ReadJournal(path, known);
  }

  get knownCount(): number {
    return this.#known.size;
  }

  items(key: string): readonly ReadItem[] | undefined {
    return this.#known.get(key);
  }

  async add(key: string, items: readonly ReadItem[]): Promise<void> {
    this.#handle ??= await open(this.#path, "a", OWNER_ONLY);
    await this.#handle.appendFile(`${JSON.stringify({ readers: READERS_VERSION, key, items })}\n`);
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async remove(): Promise<void> {
    await this.close();
    await rm(this.#path, { force: true });
  }
}

/** The last line of a process that was killed may be half a line. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** Names a file's present content: path, format, size and time of change. undefined for what has none of these. */
export async function journalKey(file: InputFile): Promise<string | undefined> {
  if (file.path === STDIN) return undefined;
  const stats = await stat(file.path).catch(() => undefined);
  return stats === undefined ? undefined : JSON.stringify([file.name, file.format, stats.size, stats.mtimeMs]);
}
