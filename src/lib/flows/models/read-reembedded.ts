import { Semaphore } from "../../base/semaphore.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import type { UnembeddedRow } from "../../db/queries/reembed.ts";
import type { PackReadContext } from "../packs/context.ts";
import { readStoredDocument } from "../packs/read-stored-document.ts";
import type { ReadableDocument, RefusedDocument } from "./filling.ts";

/** Reads at a time: an invocation has six connections, and the embedder wants some of them. */
const READS_MAX = 3;

/** A store that did not answer, which says nothing of the document. */
const AWAY_CODES: ReadonlySet<string> = new Set([
  "storage_unavailable",
  "database_unavailable",
  "database_timeout",
  "serialization_failure",
]);

/** Texts of documents from where they are kept. One that cannot be read any more is refused by the code that says why; a store that is away is an error. */
export async function readReembedded(
  context: PackReadContext,
  rows: readonly UnembeddedRow[],
): Promise<
  Result<
    { readonly readable: readonly ReadableDocument[]; readonly refused: readonly RefusedDocument[] },
    { readonly code: string }
  >
> {
  const reads = new Semaphore(READS_MAX);
  const texts = await Promise.all(rows.map((row) => reads.run(() => readText(context, row))));
  const readable: ReadableDocument[] = [];
  const refused: RefusedDocument[] = [];
  for (const [index, text] of texts.entries()) {
    const row = rows[index];
    if (row === undefined) continue;
    if (text.ok) readable.push({ row, document: text.value });
    else if (AWAY_CODES.has(text.error.code)) return err({ code: text.error.code });
    else refused.push({ row, code: text.error.code });
  }
  return ok({ readable, refused });
}

async function readText(
  context: PackReadContext,
  row: UnembeddedRow,
): Promise<Result<WalDocument, { readonly code: string }>> {
  const place = { key: row.wal_key, documentIndex: row.document_index };
  const read = await readStoredDocument(context, place);
  if (!read.ok) return read;
  const { document } = read.value;
  return document.text === null ? err({ code: "wal_invalid" }) : ok(document);
}
