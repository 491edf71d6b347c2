import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { readAddresses } from "../../src/cli/demo/corpus.ts";

/** A text to be indexed, the same for both sides of every bench. */
export interface BenchText {
  readonly id: string;
  readonly text: string;
}

const recordSchema = z.object({ id: z.union([z.string(), z.number()]).optional(), text: z.string() });

/**
 * Texts of a folder (`.txt` whole, `.json` by its `text` field) or of a `.jsonl` file (a record with `text` a line); without a
 * path the State of the Union addresses since 1961. At most `documentsMax`, evenly spread over the whole.
 */
export async function readBenchTexts(path: string | undefined, documentsMax: number): Promise<readonly BenchText[]> {
  const texts = (await (path === undefined ? defaultTexts() : readPath(path))).filter(({ text }) => text.trim() !== "");
  if (texts.length === 0) throw new Error("there is no text to measure with");
  if (texts.length <= documentsMax) return texts;
  return Array.from(
    { length: documentsMax },
    (_, index) => texts[Math.floor((index * texts.length) / documentsMax)],
  ).filter((text) => text !== undefined);
}

async function defaultTexts(): Promise<readonly BenchText[]> {
  const documents = await readAddresses(false);
  return documents.map(({ id, text }) => ({ id, text }));
}

async function readPath(path: string): Promise<readonly BenchText[]> {
  if ((await stat(path)).isDirectory()) return readFolder(path);
  const lines = (await readFile(path, "utf8")).split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, index) => {
    const record = recordSchema.parse(JSON.parse(line));
    return { id: `text-${record.id ?? index}`, text: record.text };
  });
}

async function readFolder(folder: string): Promise<readonly BenchText[]> {
  const names = (await readdir(folder)).filter((name) => /\.(txt|json)$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const content = await readFile(join(folder, name), "utf8");
      return { id: name, text: name.endsWith(".json") ? recordSchema.parse(JSON.parse(content)).text : content };
    }),
  );
}
