/** What the alarm of a log does: everything that is due, each step by itself, so that one that fails does not hold up the others. */
import { assert } from "../../base/assert.ts";
import { dueWork, type LogState } from "../../session/log-schedule.ts";
import type { SessionRow } from "../../session/log-rows.ts";
import { sessionKey } from "../../session/session-log-api.ts";
import { announceSegments, deleteOrphans } from "./announce-segments.ts";
import { flushMicroBatch } from "./flush-micro-batch.ts";
import type { Done, LogContext } from "./log-context.ts";
import { writeSegment } from "./write-segment.ts";

/** Steps of one alarm: a backlog of 32 MB in batches of 256 KB is 128 of them. What is left has the next alarm. */
const STEPS_MAX = 200;

/** The log as the rules of its schedule see it; undefined where there is no session. */
export function readLogState({ store, segments }: Pick<LogContext, "store" | "segments">): LogState | undefined {
  const session = store.session();
  if (session === undefined) return undefined;
  return {
    session,
    nextBatch: store.nextBatch(),
    hasPlan: segments.planned() !== undefined,
    oldestAnnouncementMs: segments.oldestAnnouncementMs(),
  };
}

/** Does what is due now. False where something failed and is to be tried again. */
export async function runDueWork(context: LogContext): Promise<Done> {
  const isRenewed = await renewIfDue(context);
  const isStored = await storeWhatIsDue(context);
  const isAnnounced = await announceIfDue(context);
  const isClean = await deleteOrphans(context);
  return isRenewed && isStored && isAnnounced && isClean;
}

async function storeWhatIsDue(context: LogContext): Promise<Done> {
  for (let step = 0; step < STEPS_MAX; step += 1) {
    const state = readLogState(context);
    if (state === undefined) return true;
    const due = dueWork(state, context.settings, context.clock());
    const mustSeal = due.seal || (due.close && state.session.logFirstAtMs !== null);
    if (!due.flush && !mustSeal) return due.close ? closeSession(context, state.session) : true;
    const isDone = due.flush ? await flushMicroBatch(context) : await sealStep(context, state, due.close);
    if (!isDone) return false;
  }
  return true;
}

/** The next step towards a segment: the batches that it waits for, its plan and its bytes. */
async function sealStep(context: LogContext, { session, hasPlan }: LogState, isClosing: boolean): Promise<Done> {
  if (hasPlan) return writeSegment(context, () => flushIfDue(context));
  const wantedSeq = isClosing || session.isClosed ? session.durableSeq : session.sealAskedSeq;
  const hasNothingSent = session.queuedSeq === session.sealedSeq;
  if (session.queuedSeq < wantedSeq || hasNothingSent) return flushMicroBatch(context);
  const { judgedBy } = session;
  assert(judgedBy !== null, "a log with events knows by what they were judged");
  context.commit(() => {
    context.segments.plan({
      firstSeq: session.sealedSeq + 1,
      lastSeq: session.queuedSeq,
      createdAtMs: context.clock(),
      judgedBy,
    });
    context.store.updateSession({ sealAskedSeq: 0 });
  });
  return writeSegment(context, () => flushIfDue(context));
}

async function flushIfDue(context: LogContext): Promise<void> {
  const state = readLogState(context);
  if (state !== undefined && dueWork(state, context.settings, context.clock()).flush) await flushMicroBatch(context);
}

/** Gives the lease back. The session is closed before the gate hears of it: an event in between opens it again, by its client. */
async function closeSession(context: LogContext, session: SessionRow): Promise<Done> {
  context.store.updateSession({ isClosed: true });
  try {
    await context.gate.release({ sessionKey: sessionKey(session) });
  } catch {
    // The lease ends by itself.
    context.log.warn("session_release_failed", { tenant_id: session.tenantId });
  }
  return true;
}

async function renewIfDue(context: LogContext): Promise<Done> {
  const state = readLogState(context);
  if (state === undefined) return true;
  const due = dueWork(state, context.settings, context.clock());
  if (!due.renew || due.close) return true;
  const { session } = state;
  try {
    const renewal = await context.gate.renew({ sessionKey: sessionKey(session), nowMs: context.clock() });
    const now = context.store.session();
    if (now?.salt !== session.salt || now.leaseExpiresAtMs !== session.leaseExpiresAtMs) return true;
    if ("gone" in renewal) context.store.updateSession({ isClosed: true });
    else context.store.updateSession({ leaseExpiresAtMs: renewal.expiresAtMs });
    return true;
  } catch {
    context.log.warn("session_renewal_failed", { tenant_id: session.tenantId });
    return false;
  }
}

async function announceIfDue(context: LogContext): Promise<Done> {
  const state = readLogState(context);
  if (state === undefined) return true;
  return dueWork(state, context.settings, context.clock()).announce ? announceSegments(context) : true;
}
