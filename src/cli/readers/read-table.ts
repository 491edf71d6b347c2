import { parse } from "csv-parse/sync";
import { decodeText } from "./decode-text.ts";
import { type FileBytes, type ReadItem, refusal } from "./read-item.ts";
import { READ_LIMITS } from "./read-limits.ts";
import { recordDocument } from "./record-document.ts";

/** One document per row of a table whose first row names the columns; `text` (or `content`, or `body`) is one of them. RFC 4180. */
export function readTable({ path, bytes }: FileBytes): readonly ReadItem[] {
  const decoded = decodeText(bytes);
  if (decoded === undefined) return [refusal("file_binary")];
  let rows: readonly unknown[];
  try {
    rows = parse(decoded.text, {
      columns: true,
      delimiter: delimiterOf(path, decoded.text),
      skip_empty_lines: true,
      relax_column_count: true,
      max_record_size: READ_LIMITS.recordCharactersMax,
      to: READ_LIMITS.recordsMax + 1,
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code).toLowerCase() : "";
    return [refusal("csv_malformed", { detail: code.slice(0, 100) })];
  }
  const items = rows
    .slice(0, READ_LIMITS.recordsMax)
    .map((row, index) => recordDocument(withoutBlanks(row), { path, record: index + 1 }));
  return rows.length > READ_LIMITS.recordsMax ? [...items, refusal("records_too_many")] : items;
}

/** Tabs by the file's name, else whichever of comma and semicolon (spreadsheets of half of Europe) the first line has more of. */
function delimiterOf(path: string, text: string): string {
  if (/\.tsv$/i.test(path)) return "\t";
  const firstLine = text.slice(0, 10_000).split("\n", 1)[0] ?? "";
  return firstLine.split(";").length > firstLine.split(",").length ? ";" : ",";
}

/** An empty cell is a missing field, not an empty one; the text may be empty, which is for the gate to say. */
function withoutBlanks(row: unknown): unknown {
  if (typeof row !== "object" || row === null) return row;
  return Object.fromEntries(Object.entries(row).filter(([name, value]) => value !== "" || name === "text"));
}
