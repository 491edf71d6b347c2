import { readFileSync } from "node:fs";

/** Texts of a file: one a line, or JSON lines with a `text` field. Empty ones are left out. */
export function readTexts(path: string): readonly string[] {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line.trim() !== "");
  if (!path.endsWith(".jsonl")) return lines;
  return lines.flatMap((line) => {
    const record: unknown = JSON.parse(line);
    const text = typeof record === "object" && record !== null && "text" in record ? record.text : undefined;
    return typeof text === "string" && text.trim() !== "" ? [text] : [];
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
