import { extname } from "node:path";
import { readHtml } from "./read-html.ts";
import { type FileBytes, type ReadItem, refusal } from "./read-item.ts";
import { readJsonLines } from "./read-json-lines.ts";
import { READ_LIMITS } from "./read-limits.ts";
import { readMail, readMailbox } from "./read-mail.ts";
import { readPlainText } from "./read-plain-text.ts";
import { readTable } from "./read-table.ts";

export const FILE_FORMATS = ["txt", "md", "html", "pdf", "jsonl", "csv", "eml", "mbox"] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

const FORMAT_OF_EXTENSION: Readonly<Record<string, FileFormat>> = {
  ".txt": "txt",
  ".text": "txt",
  ".log": "txt",
  ".md": "md",
  ".markdown": "md",
  ".html": "html",
  ".htm": "html",
  ".xhtml": "html",
  ".pdf": "pdf",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".csv": "csv",
  ".tsv": "csv",
  ".eml": "eml",
  ".mbox": "mbox",
};

const OF_RECORDS: ReadonlySet<FileFormat> = new Set<FileFormat>(["jsonl", "csv", "mbox"]);

/** Version of the readers as a whole: raised when the same file may give other texts. */
export const READERS_VERSION = 1;

/** The format that a file's extension stands for. */
export function formatOf(path: string): FileFormat | undefined {
  return FORMAT_OF_EXTENSION[extname(path).toLowerCase()];
}

/** Bytes from which a file of this format is refused without being read. */
export function fileBytesMax(format: FileFormat): number {
  return OF_RECORDS.has(format) ? READ_LIMITS.recordsFileBytesMax : READ_LIMITS.documentFileBytesMax;
}

/** The documents and refusals of one file, in order. Never throws for what the bytes are. */
export async function* readFileItems(file: FileBytes, format: FileFormat): AsyncGenerator<ReadItem> {
  if (file.bytes.length > fileBytesMax(format)) {
    yield refusal("file_too_large", { detail: `${file.bytes.length} bytes` });
    return;
  }
  yield* await readerOf(format, file);
}

async function readerOf(format: FileFormat, file: FileBytes): Promise<Iterable<ReadItem> | AsyncIterable<ReadItem>> {
  switch (format) {
    case "txt":
    case "md":
      return readPlainText(file);
    case "html":
      return readHtml(file);
    case "pdf":
      return (await import("./read-pdf.ts")).readPdf(file);
    case "jsonl":
      return readJsonLines(file);
    case "csv":
      return readTable(file);
    case "eml":
      return readMail(file);
    case "mbox":
      return readMailbox(file);
  }
}
