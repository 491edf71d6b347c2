/** Bounds of what the command line reads. A file over one is a reported refusal. */
export const READ_LIMITS = {
  /** Bytes of a file with one document: a thousand times the text of a book. */
  documentFileBytesMax: 64 * 1024 * 1024,
  /** Bytes of a file of records (jsonl, csv, mbox): held in memory once as bytes and once as text, which V8 limits to 512 MiB. */
  recordsFileBytesMax: 256 * 1024 * 1024,
  /** Records of one file. */
  recordsMax: 500_000,
  /** Characters of one line of a jsonl file, one cell of a table: sixteen times what one document may have. */
  recordCharactersMax: 16 * 1024 * 1024,
  /** Characters of a text as extracted: the gate refuses what is over one MiB, and refuses it with its size. */
  textCharactersMax: 16 * 1024 * 1024,
  /** Pages of a PDF: more are not one document. */
  pdfPagesMax: 2_000,
  /** Milliseconds for one PDF: a page description is a program, and a hostile one does not end. */
  pdfTimeoutMs: 60_000,
  /** Open elements of an HTML page: real pages have under a hundred. */
  htmlDepthMax: 2_000,
  /** Parts and nesting of a mail: a digest has hundreds of parts, no one has more levels. */
  mailNestingMax: 32,
  /** Files of one call. */
  filesMax: 200_000,
} as const;
