/** The user's conversations: their logs first, since what they hold would come again as something new. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { ulidTimeMs } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { listAll, listObjects, listPages } from "../../bucket/list-objects.ts";
import type { Problem } from "../../contract/problem.ts";
import { erasureRowSchema, raiseErasure } from "../../db/queries/user-erasures.ts";
import {
  segmentPrefix,
  sessionMarkersPrefix,
  summaryPrefix,
  userSegmentsPrefix,
  userSummariesPrefix,
} from "../../session/session-keys.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";
import { eraseSession } from "../sessions/erase-session.ts";
import { readMarkerAt, type SessionMarker } from "../sessions/session-marker.ts";
import { type Erasure, type EraseUserContext, noteFound, type StepResult } from "./erasure.ts";

/** An erased session is some tens of calls. */
const UNITS_PER_SESSION = 40;

/**
 * Erases every session that was opened before the erasure, also open ones, in passes. Each begins by drawing the line between what is gone and what is
 * new anew, behind all events that the logs of the pass before had taken; so does what goes on after a crash. Sessions that were opened behind the line
 * are new. The last pass is one that finds none.
 */
export async function eraseUserSessions(context: EraseUserContext, erasure: Erasure): Promise<StepResult> {
  for (;;) {
    const raised = await raise(context, erasure);
    if (!raised.ok) return raised;
    const pass = await eraseOldSessions(context, erasure);
    if (!pass.ok) return pass;
    if (!pass.value.done) return ok({ done: false });
    if (pass.value.erasedCount === 0) return ok({ done: true });
  }
}

async function eraseOldSessions(
  context: EraseUserContext,
  erasure: Erasure,
): Promise<Result<{ readonly erasedCount: number; readonly done: boolean }, Problem>> {
  let erasedCount = 0;
  const lineMs = ulidTimeMs(erasure.before);
  try {
    for await (const { key } of listObjects(context.bucket, { prefix: sessionMarkersPrefix(erasure) })) {
      const marker = await readMarkerAt(context.bucket, key);
      if (!marker.ok) return marker;
      if (marker.value === undefined || Date.parse(marker.value.opened_at) > lineMs) continue;
      if (erasure.budget.isSpent()) return ok({ erasedCount, done: false });
      const erased = await eraseOne(context, erasure, marker.value);
      if (!erased.ok) return erased;
      erasedCount += 1;
      if (!erased.value.done) return ok({ erasedCount, done: false });
    }
    return ok({ erasedCount, done: true });
  } catch {
    return err(storageUnavailable());
  }
}

async function eraseOne(context: EraseUserContext, erasure: Erasure, marker: SessionMarker): Promise<StepResult> {
  const session = { tenantId: erasure.tenantId, userId: erasure.userId, sessionId: marker.session_id };
  const summaryCount = await countUnder(context.bucket, summaryPrefix(session));
  const segmentCount = await countUnder(context.bucket, segmentPrefix(session));
  erasure.budget.spend(UNITS_PER_SESSION);
  const erased = await eraseSession(context, session);
  // Another request has erased it meanwhile.
  if (!erased.ok) return erased.error.code === "session_unknown" ? ok({ done: true }) : erased;
  if (!erased.value.done) return ok({ done: false });
  noteFound(erasure, "session_logs", 1);
  noteFound(erasure, "segments", segmentCount);
  noteFound(erasure, "summaries", summaryCount);
  return ok({ done: true });
}

async function raise(context: EraseUserContext, erasure: Erasure): Promise<Result<void, Problem>> {
  const statements = raiseErasure(erasure, erasure.erasureId, context.newUlid());
  const rows = await context.sql.transaction(erasure, statements);
  if (!rows.ok) return err(problemOfSql(rows.error));
  const row = rows.value[1]?.[0];
  // Ended by another request: its line holds.
  if (row === undefined) return ok(undefined);
  const { erased_before: before, erased_at: at } = erasureRowSchema.parse(row);
  erasure.before = before;
  erasure.at = at;
  return ok(undefined);
}

/** Segments and summaries of sessions that have no marker any more: what was on its way when they were erased. */
export async function eraseOrphanedObjects(context: EraseUserContext, erasure: Erasure): Promise<StepResult> {
  try {
    for (const [place, prefix] of orphanPrefixes(erasure)) {
      for (const key of await orphansUnder(context.bucket, erasure, prefix)) {
        if (erasure.budget.isSpent()) return ok({ done: false });
        erasure.budget.spend();
        await context.bucket.delete(key);
        noteFound(erasure, place, 1);
      }
    }
    return ok({ done: true });
  } catch {
    return err(storageUnavailable());
  }
}

/** How many old sessions, and orphaned objects of sessions, there are. */
export async function countSessionObjects(
  { bucket }: Pick<EraseUserContext, "bucket">,
  erasure: Erasure,
): Promise<Result<number, Problem>> {
  try {
    let found = 0;
    for await (const { key } of listObjects(bucket, { prefix: sessionMarkersPrefix(erasure), pagesMax: PAGES_MAX })) {
      const marker = await readMarkerAt(bucket, key);
      if (!marker.ok) return marker;
      if (marker.value !== undefined && Date.parse(marker.value.opened_at) <= ulidTimeMs(erasure.before)) found += 1;
    }
    for (const [, prefix] of orphanPrefixes(erasure)) found += (await orphansUnder(bucket, erasure, prefix)).length;
    return ok(found);
  } catch {
    return err(storageUnavailable());
  }
}

function orphanPrefixes(erasure: Erasure): readonly (readonly ["segments" | "summaries", string])[] {
  return [
    ["segments", userSegmentsPrefix(erasure)],
    ["summaries", userSummariesPrefix(erasure)],
  ];
}

async function orphansUnder(bucket: R2Bucket, erasure: Erasure, prefix: string): Promise<readonly string[]> {
  const keys = (await listAll(bucket, { prefix, pagesMax: PAGES_MAX })).map(({ key }) => key);
  const bySession = Map.groupBy(keys, (key) => key.slice(prefix.length).split("/", 1)[0] ?? "");
  const orphans: string[] = [];
  for (const [part, own] of bySession)
    if ((await bucket.head(`${sessionMarkersPrefix(erasure)}${part}`)) === null) orphans.push(...own);
  return orphans;
}

/** Listings of one prefix: a million objects of one user. */
const PAGES_MAX = 1_000;

async function countUnder(bucket: R2Bucket, prefix: string): Promise<number> {
  let count = 0;
  for await (const page of listPages(bucket, { prefix, pagesMax: PAGES_MAX })) count += page.length;
  return count;
}
