import { utf8Bytes } from "../../base/bytes.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import { markSent, outboxRowSchema, selectOutbox } from "../../db/queries/profile-outbox.ts";
import type { ProfileName } from "../../db/queries/profiles.ts";
import type { Row, Sql } from "../../db/sql.ts";
import { problemOfSql } from "../problem-of.ts";
import { storeRequest, type StoreContext } from "../ingest/store-request.ts";
import { outboxEntrySchema, type OutboxEntry } from "./fact-document.ts";

export interface OutboxContext extends StoreContext {
  readonly sql: Sql;
}

/** The entries of one WAL object, as rows hold them. */
export function entriesOf(rows: readonly Row[]): readonly OutboxEntry[] {
  return rows.map((row) => outboxEntrySchema.parse(outboxRowSchema.parse(row).outbox));
}

/** Sends what waits under a WAL id. `userId` '*' where the object holds facts of several users. */
export async function sendWaiting(
  context: OutboxContext,
  name: ProfileName,
  walId: string,
): Promise<Result<null, Problem>> {
  const rows = await context.sql.transaction(name, [selectOutbox(name, walId)], { readOnly: true });
  if (!rows.ok) return { ok: false, error: problemOfSql(rows.error) };
  return sendEntries(context, name, entriesOf(rows.value[0] ?? []));
}

/**
 * Stores the WAL object of these entries, queues it and empties the outbox. Made of the rows alone and under the id that they name: whoever
 * repeats it after a crash makes the same object.
 */
export async function sendEntries(
  context: OutboxContext,
  name: ProfileName,
  entries: readonly OutboxEntry[],
): Promise<Result<null, Problem>> {
  const sorted = entries.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  const head = sorted[0]?.head;
  if (head === undefined) return ok(null);
  const documents = sorted.map(({ document }, index) => ({ ...document, document_index: index }));
  const textBytes = documents.map(({ text }) => utf8Bytes(text ?? "").length);
  const stored = await storeRequest(context, { head, documents, textBytes, replayed: true });
  if (!stored.ok) return stored;
  const marked = await context.sql.transaction(name, [markSent(name, head.wal_id)]);
  return marked.ok ? ok(null) : { ok: false, error: problemOfSql(marked.error) };
}

function orderOf({ document }: OutboxEntry): string {
  return JSON.stringify([document.user_id, document.document_id]);
}
