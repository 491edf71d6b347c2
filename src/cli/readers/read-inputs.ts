import { readFile, stat } from "node:fs/promises";
import { type InputFile, STDIN } from "./find-files.ts";
import { fileBytesMax, readFileItems } from "./read-file.ts";
import { type ReadItem, type ReadRefusal, refusal } from "./read-item.ts";
import { READ_LIMITS } from "./read-limits.ts";

/** Items of one file. What cannot be opened or has no reader is a refusal. */
export async function* readInput(file: InputFile): AsyncGenerator<ReadItem> {
  if (file.format === undefined && !file.isNamed) {
    yield refusal("format_unknown");
    return;
  }
  const format = file.format ?? (file.path === STDIN ? "jsonl" : "txt");
  const bytes = await readBytes(file.path, fileBytesMax(format));
  if (!(bytes instanceof Uint8Array)) yield bytes;
  else yield* readFileItems({ path: file.name, bytes }, format);
}

/** The bytes of a file or of the standard input, or why there are none. */
export async function readBytes(path: string, bytesMax: number): Promise<Uint8Array | ReadRefusal> {
  try {
    if (path === STDIN) return await stdinBytes();
    const { size } = await stat(path);
    if (size > bytesMax) return refusal("file_too_large", { detail: `${size} bytes` });
    return await readFile(path);
  } catch {
    return refusal("file_unreadable");
  }
}

/** One byte over the limit is enough for the reader to refuse it. */
async function stdinBytes(): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of process.stdin) {
    const bytes = Buffer.from(part);
    parts.push(bytes);
    sizeBytes += bytes.length;
    if (sizeBytes > READ_LIMITS.recordsFileBytesMax) break;
  }
  return Buffer.concat(parts);
}
