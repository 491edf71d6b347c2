import { appendFile, mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";

const entrySchema = z.strictObject({ batch_tag: z.string(), token: z.string(), hashes: z.array(z.string()) });
type Entry = z.infer<typeof entrySchema>;

/** What a service has accepted from here: one line per request, hashes and no text. A second run sends what is missing. */
export class IngestState {
  readonly #path: string;
  readonly #accepted: Set<string>;

  private constructor(path: string, accepted: Set<string>) {
    this.#path = path;
    this.#accepted = accepted;
  }

  static async open(path: string): Promise<IngestState> {
    const text = await readFile(path, "utf8").catch(() => "");
    const hashes = text.split("\n").flatMap((line) => entryOf(line)?.hashes ?? []);
    return new IngestState(path, new Set(hashes));
  }

  has(hash: string): boolean {
    return this.#accepted.has(hash);
  }

  async add(entry: Entry): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    await appendFile(this.#path, `${JSON.stringify(entry)}\n`);
    for (const hash of entry.hashes) this.#accepted.add(hash);
  }
}

/** The last line of a process that was killed may be half a line: its request is sent again, which is harmless. */
function entryOf(line: string): Entry | undefined {
  try {
    return entrySchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
