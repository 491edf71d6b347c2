import { readFileSync } from "node:fs";
import { z } from "zod";

const lineSchema = z.looseObject({ text: z.string() });

/** The texts of a `.jsonl` file, one object with a `text` a line. */
export function textsOfLines(path: string): string[] {
  return readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => lineSchema.parse(JSON.parse(line)).text);
}
