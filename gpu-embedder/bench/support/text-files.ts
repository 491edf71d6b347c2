import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";

const EXTENSIONS = new Set([".txt", ".md", ".tsv", ".jsonl"]);

/**
 * Texts of files and folders, in order of the arguments and, in a folder, of the names. `.jsonl` has a record with `text` a line, `.tsv`
 * gives every column that is no number, other files have a text a line. Empty ones are left out.
 */
export function readTexts(paths: readonly string[]): readonly string[] {
  const texts = paths.flatMap((path) => filesOf(path).flatMap(textsOf)).filter((text) => text.trim() !== "");
  if (texts.length === 0) throw new Error(`no text in ${paths.join(", ")}`);
  return texts;
}

function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => EXTENSIONS.has(extname(name)))
    .sort()
    .map((name) => join(path, name));
}

function textsOf(path: string): readonly string[] {
  const lines = readFileSync(path, "utf8").split("\n");
  if (path.endsWith(".tsv"))
    return lines.flatMap((line) => line.split("\t").filter((cell) => Number.isNaN(Number(cell))));
  if (!path.endsWith(".jsonl")) return lines;
  return lines.flatMap((line) => {
    if (line.trim() === "") return [];
    const record: unknown = JSON.parse(line);
    const text = typeof record === "object" && record !== null && "text" in record ? record.text : undefined;
    return typeof text === "string" ? [text] : [];
  });
}
