import { decodeText } from "./decode-text.ts";
import { type FileBytes, type ReadItem, refusal } from "./read-item.ts";
import { READ_LIMITS } from "./read-limits.ts";
import { recordDocument } from "./record-document.ts";

/** One document per line. A broken line is refused, the others are read. */
export function* readJsonLines({ path, bytes }: FileBytes): Generator<ReadItem> {
  const decoded = decodeText(bytes);
  if (decoded === undefined) return yield refusal("file_binary");
  let record = 0;
  for (const line of linesOf(decoded.text)) {
    if (line.trim() === "") continue;
    record++;
    if (record > READ_LIMITS.recordsMax) return yield refusal("records_too_many", { record });
    if (line.length > READ_LIMITS.recordCharactersMax)
      yield refusal("record_too_large", { record, detail: `${line.length} characters` });
    else yield readLine(line, { path, record });
  }
}

function readLine(line: string, at: { readonly path: string; readonly record: number }): ReadItem {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return refusal("record_malformed", { record: at.record });
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? recordDocument(value, at) : refusal("record_malformed", { record: at.record });
}

/** Lines without holding all of them. */
function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("\n", start);
    yield text.slice(start, end === -1 ? text.length : end);
    if (end === -1) return;
    start = end + 1;
  }
}
