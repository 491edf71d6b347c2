/** A planned segment on its way into R2: its hash first, since the key holds it, then its bytes, part by part. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { createHash } from "node:crypto";
import { assert } from "../../base/assert.ts";
import type { SessionRow } from "../../session/log-rows.ts";
import type { SegmentHead } from "../../session/segment-layout.ts";
import { SegmentParts, type SegmentTally } from "../../session/segment-parts.ts";
import type { SegmentPlan, WrittenSegment } from "../../session/segment-rows.ts";
import { segmentKey } from "../../session/session-keys.ts";
import type { Done, LogContext } from "./log-context.ts";

const MEDIA_TYPE = "application/vnd.jeeves.segment";

/** What is done between two parts: a large segment takes seconds, and micro-batches go on meanwhile. */
export type BetweenParts = () => Promise<void>;

/**
 * Writes the planned segment and lets its events go. Dying anywhere in it is harmless: the plan stands until the segment is marked as stored, and the same
 * rows make the same bytes under the same key. A plan whose events changed meanwhile is given up, with what was written of it.
 */
export async function writeSegment(context: LogContext, betweenParts: BetweenParts): Promise<Done> {
  const session = context.store.session();
  const plan = context.segments.planned();
  if (session === undefined || plan === undefined) return true;
  try {
    const outcome = await write(context, { session, plan, betweenParts });
    context.metrics.sealed(outcome);
    return true;
  } catch (thrown) {
    const kind = thrown instanceof Error ? thrown.name : typeof thrown;
    context.log.warn("session_seal_failed", { tenant_id: session.tenantId, first_seq: plan.firstSeq, error: kind });
    context.metrics.sealed("failed");
    return false;
  }
}

interface Work {
  readonly session: SessionRow;
  readonly plan: SegmentPlan;
  readonly betweenParts: BetweenParts;
}

async function write(context: LogContext, work: Work): Promise<"stored" | "empty"> {
  const { session, plan } = work;
  const { store, segments } = context;
  const { sha256, ...tally } = await measure(context, work);
  if (!isStanding(context, work)) return "empty";
  if (tally.eventCount === 0) {
    // Nothing but refused events: there is no text to keep.
    context.commit(() => {
      segments.dropPlan();
      letGo(context, plan);
    });
    return "empty";
  }
  const facts = { firstSeq: plan.firstSeq, createdAtMs: plan.createdAtMs, eventCount: tally.eventCount, sha256 };
  const objectKey = segmentKey(session, facts);
  segments.setObjectKey(plan.firstSeq, objectKey);
  const written: WrittenSegment = { objectKey, sha256, ...tally };
  const isWhole = await upload(context, work, written);
  if (!isWhole || !isStanding(context, work)) {
    await context.bucket.delete(objectKey);
    return "empty";
  }
  context.commit(() => {
    segments.markStored(plan.firstSeq, written);
    letGo(context, plan);
  });
  assert(store.session()?.sealedSeq === plan.lastSeq, "a stored segment moves the sealed seq");
  return "stored";
}

function letGo({ store }: LogContext, plan: SegmentPlan): void {
  store.deleteEventsUpTo(plan.lastSeq);
  store.updateSession({ sealedSeq: plan.lastSeq });
}

/** Whether session and plan are what they were before the last wait. */
function isStanding({ store, segments }: LogContext, { session, plan }: Work): boolean {
  const planned = segments.planned();
  return (
    store.session()?.salt === session.salt &&
    planned?.firstSeq === plan.firstSeq &&
    planned.createdAtMs === plan.createdAtMs
  );
}

function partsOf(context: LogContext, { session, plan }: Work): SegmentParts {
  const head: SegmentHead = {
    tenant_id: session.tenantId,
    user_id: session.userId,
    session_id: session.sessionId,
    first_seq: plan.firstSeq,
    created_at_ms: plan.createdAtMs,
  };
  return new SegmentParts(context.store, { head, lastSeq: plan.lastSeq }, context.partBytes);
}

async function measure(context: LogContext, work: Work): Promise<SegmentTally & { readonly sha256: string }> {
  const parts = partsOf(context, work);
  const hash = createHash("sha256");
  for (let part = parts.next(); part !== undefined; part = parts.next()) {
    hash.update(part);
    if (part.length === context.partBytes) await work.betweenParts();
  }
  return { ...parts.tally(), sha256: hash.digest("hex") };
}

/** Puts the bytes under their key. False where they are other ones than were measured: nothing is there then. */
async function upload(context: LogContext, work: Work, written: WrittenSegment): Promise<boolean> {
  const parts = partsOf(context, work);
  const first = parts.next();
  if (first === undefined || written.sizeBytes > context.partBytes) {
    return uploadParts(context.bucket, { parts, first, written, betweenParts: work.betweenParts });
  }
  if (createHash("sha256").update(first).digest("hex") !== written.sha256) return false;
  await context.bucket.put(written.objectKey, first, {
    httpMetadata: { contentType: MEDIA_TYPE },
    customMetadata: { hash: written.sha256 },
  });
  return true;
}

interface Upload {
  readonly parts: SegmentParts;
  readonly first: Uint8Array<ArrayBuffer> | undefined;
  readonly written: WrittenSegment;
  readonly betweenParts: BetweenParts;
}

async function uploadParts(bucket: R2Bucket, { parts, first, written, betweenParts }: Upload): Promise<boolean> {
  const multipart = await bucket.createMultipartUpload(written.objectKey, {
    httpMetadata: { contentType: MEDIA_TYPE },
    customMetadata: { hash: written.sha256 },
  });
  try {
    const hash = createHash("sha256");
    const uploaded = [];
    for (let part = first; part !== undefined; part = parts.next()) {
      hash.update(part);
      uploaded.push(await multipart.uploadPart(uploaded.length + 1, part));
      await betweenParts();
    }
    if (hash.digest("hex") === written.sha256) {
      await multipart.complete(uploaded);
      return true;
    }
  } catch (thrown) {
    await multipart.abort().catch(() => undefined);
    throw thrown;
  }
  await multipart.abort();
  return false;
}
