/** What a session has left beside its events: quarantined texts, segments, summaries. What is erased is gone from the list, so that each step goes on by itself. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import { type Listing, listPage } from "../../bucket/list-objects.ts";
import type { Problem } from "../../contract/problem.ts";
import { deleteSegments, heldEventRowSchema, selectHeldEvents } from "../../db/queries/erase-session.ts";
import { markTextsRemoved } from "../../db/queries/quarantine.ts";
import type { Sql } from "../../db/sql.ts";
import { segmentPrefix, summaryPrefix } from "../../session/session-keys.ts";
import { eraseDocuments } from "../deletions/erase-documents.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";
import { removeHeldTexts } from "../quarantine/quarantine-object.ts";
import type { ErasureStep, SessionErasure } from "./session-erasure.ts";
import { summaryNames } from "./summary-names.ts";

interface ObjectsContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly newUlid: () => string;
}

type DocumentName = ReturnType<typeof summaryNames>[number];

/** Pages of one kind in one request; each takes about a second. */
const PAGES_MAX = 10;
/** Quarantined texts of a page: an object of a micro-batch is written anew for its own. */
const HELD_ROWS_PER_PAGE = 200;
/** Segments of a page: one statement, one deletion. */
const SEGMENTS_PER_PAGE = 500;
/** Summaries of a page: each is read, since it names the documents that were made of it. */
const SUMMARIES_PER_PAGE = 50;
/** Who decided that the texts go. */
const DECIDED_BY = "session-erasure";

export async function eraseHeldEvents(
  context: ObjectsContext,
  { session, tally }: SessionErasure,
): Promise<ErasureStep> {
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const found = await context.sql.transaction(session, [selectHeldEvents(session, HELD_ROWS_PER_PAGE)], {
      readOnly: true,
    });
    if (!found.ok) return err(problemOfSql(found.error));
    const rows = (found.value[0] ?? []).map((row) => heldEventRowSchema.parse(row));
    if (rows.length === 0) return ok({ done: true });
    for (const [objectKey, held] of Map.groupBy(rows, (row) => row.object_key)) {
      const removed = await removeHeldTexts(context.bucket, objectKey, new Set(held.map((row) => row.document_index)));
      if (!removed.ok) return removed;
    }
    const removal = { quarantineIds: rows.map((row) => row.quarantine_id), decidedBy: DECIDED_BY };
    const marked = await context.sql.transaction(session, [markTextsRemoved(session.tenantId, removal)]);
    if (!marked.ok) return err(problemOfSql(marked.error));
    tally.heldTexts += rows.length;
  }
  return ok({ done: false });
}

export function eraseSegments(context: ObjectsContext, { session, tally }: SessionErasure): Promise<ErasureStep> {
  return eraseObjects(context.bucket, { prefix: segmentPrefix(session), keysMax: SEGMENTS_PER_PAGE }, async (keys) => {
    const forgotten = await context.sql.transaction(session, deleteSegments(session, keys));
    if (!forgotten.ok) return err(problemOfSql(forgotten.error));
    tally.segments += keys.length;
    return ok(undefined);
  });
}

export function eraseSummaries(
  context: ObjectsContext,
  { session, deletionId, tally }: SessionErasure,
): Promise<ErasureStep> {
  return eraseObjects(context.bucket, { prefix: summaryPrefix(session), keysMax: SUMMARIES_PER_PAGE }, async (keys) => {
    const made = await Promise.all(keys.map((key) => documentsOfSummary(context.bucket, session.sessionId, key)));
    const documents = made.flat();
    const erased = await eraseDocuments(context, { ...session, documents, deletionId });
    if (!erased.ok) return erased;
    tally.documents += erased.value.existedCount;
    tally.chunks += erased.value.chunkCount;
    return ok(undefined);
  });
}

const placeSchema = z.object({ artifact_id: z.string(), first_seq: z.int(), last_seq: z.int() });

/** None where the object is not what it should be: then nothing was made of it. Throws when R2 fails. */
async function documentsOfSummary(bucket: R2Bucket, sessionId: string, key: string): Promise<readonly DocumentName[]> {
  const object = await bucket.get(key);
  const place = placeSchema.safeParse(await object?.json().catch(() => undefined));
  return place.success ? summaryNames(sessionId, place.data) : [];
}

/** Deletes the objects of a prefix page by page, each after `before` has dealt with what hangs on it. */
async function eraseObjects(
  bucket: R2Bucket,
  listing: Listing,
  before: (keys: readonly string[]) => Promise<Result<void, Problem>>,
): Promise<ErasureStep> {
  try {
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const keys = (await listPage(bucket, listing)).objects.map(({ key }) => key);
      if (keys.length === 0) return ok({ done: true });
      const dealt = await before(keys);
      if (!dealt.ok) return dealt;
      await bucket.delete(keys);
    }
    return ok({ done: false });
  } catch {
    return err(storageUnavailable());
  }
}
