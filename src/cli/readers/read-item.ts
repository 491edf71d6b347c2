import type { Tier } from "../../lib/contract/scope.ts";
import type { Metadata } from "../../lib/contract/document.ts";

/** One text of a file, ready to be judged. */
export interface ReadDocument {
  readonly kind: "document";
  /** Of the record, or made of the file's path; unique where the files' are. */
  readonly id: string;
  readonly text: string;
  readonly title?: string;
  readonly source?: string;
  readonly tier?: Tier;
  readonly userId?: string;
  /** ISO 8601 with an offset. */
  readonly occurredAt?: string;
  readonly metadata: Metadata;
}

/** Why a file, or one record of it, gave no text. Codes are part of the contract: docs/cli.md lists them. */
export const READ_REFUSALS = {
  file_unreadable: "the file cannot be opened",
  file_too_large: "the file is larger than its reader takes",
  file_binary: "neither text nor a known format",
  format_unknown: "no reader for this extension",
  html_too_deep: "elements are nested too deeply",
  pdf_malformed: "not a PDF, or a damaged one",
  pdf_encrypted: "the PDF asks for a password",
  pdf_too_many_pages: "the PDF has more pages than are read",
  pdf_no_text: "the PDF holds pictures of text only",
  text_too_large: "the text grows too large when extracted",
  mail_malformed: "not a mail message",
  mail_no_text: "the message has no text part",
  csv_malformed: "not a table",
  record_malformed: "the line is not a JSON object",
  record_invalid: "the record has no text, or a field of a wrong form",
  record_too_large: "the record is larger than one record may be",
  records_too_many: "the file has more records than are read",
} as const;
export type ReadRefusalCode = keyof typeof READ_REFUSALS;

export interface ReadRefusal {
  readonly kind: "refusal";
  readonly code: ReadRefusalCode;
  /** 1 for the first record of the file; left out where the whole file is refused. */
  readonly record?: number;
  /** Sizes, names of fields; never content. */
  readonly detail?: string;
}

export type ReadItem = ReadDocument | ReadRefusal;

export function refusal(
  code: ReadRefusalCode,
  more: { readonly record?: number; readonly detail?: string } = {},
): ReadRefusal {
  return { kind: "refusal", code, ...more };
}

/** A file's bytes and the name that its documents are called by. */
export interface FileBytes {
  /** Relative to where the command was called from; `stdin` for the standard input. */
  readonly path: string;
  readonly bytes: Uint8Array;
}
