/** The way of frames into the log of their session, by a request or a WebSocket message: judge, append, reply. Postgres has no part in it. */
import { err, ok, type Result } from "../../base/result.ts";
import type { Log } from "../../base/log.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { FrameReply, FramesReply } from "../../contract/session.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { GATE_VERSION } from "../../gate/profile.ts";
import { PII_RULES_VERSION } from "../../pii/find-pii.ts";
import type { DecodedFrame } from "../../session/frame-codec.ts";
import type {
  AppendInput,
  AppendOutcome,
  EventOutcome,
  JudgedBy,
  SessionIdentity,
} from "../../session/session-log-api.ts";
import type { JudgingContext } from "../judging/judge-request.ts";
import { askLog } from "./ask-log.ts";
import { judgeFrames, type JudgedFrame, type RefusedFrame } from "./judge-frames.ts";

export interface AppendContext extends JudgingContext {
  readonly log: Pick<Log, "error">;
  readonly clock: () => number;
  readonly append: (input: AppendInput) => Promise<AppendOutcome>;
}

export interface FramesRequest {
  readonly principal: Principal;
  readonly session: SessionIdentity;
  readonly requestId: string;
  readonly traceId: string | null;
  readonly frames: readonly DecodedFrame[];
}

/** Seconds after which a client comes again to a log whose store is down. */
const BACKLOG_RETRY_SECONDS = 5;

export interface Appended {
  readonly reply: FramesReply;
  /** What the log took for the first time. */
  readonly documents: readonly WalDocument[];
}

/** Appends the frames of one request, each with an answer of its own. A problem means that none of them was taken. */
export async function appendFrames(
  context: AppendContext,
  { principal, session, requestId, traceId, frames }: FramesRequest,
): Promise<Result<Appended, Problem>> {
  const nowMs = context.clock();
  const judged = await judgeFrames(context, { principal, session, frames, nowMs });
  if (!judged.ok) return judged;
  const events = judged.value.flatMap((frame) => ("event" in frame ? frame.event : []));
  const asked = await askLog(context, () =>
    context.append({
      nowMs,
      requestId,
      traceId,
      events,
      judgedBy: judgedBy(principal),
      refusedCount: judged.value.filter((frame) => "refused" in frame).length,
      receivedSeq: judged.value.reduce((highest, frame) => Math.max(highest, seqOf(frame)), 0),
    }),
  );
  if (!asked.ok) return asked;
  const outcome = asked.value;
  if (!outcome.ok)
    return err({
      code: outcome.code,
      ...(outcome.code === "session_backlogged" ? { retryAfterSeconds: BACKLOG_RETRY_SECONDS } : {}),
    });
  return ok({
    reply: { ack: outcome.ack, token: outcome.token, frames: replies(judged.value, outcome.events) },
    documents: events.flatMap(({ judged: input }, index) =>
      input !== null && outcome.events[index]?.status === "appended" ? input.document : [],
    ),
  });
}

function judgedBy({ policy, policyVersion }: Principal): JudgedBy {
  const { enabled, near } = policy.duplicates;
  const duplicates = enabled ? (near ? "near" : "exact") : null;
  return { gateVersion: GATE_VERSION, piiVersion: PII_RULES_VERSION, policyVersion, duplicates };
}

function seqOf(frame: JudgedFrame): number {
  return "event" in frame ? frame.event.seq : (frame.refused.seq ?? 0);
}

/** The answers in the order of the frames: the log's for those it was asked about, ours for the rest. */
function replies(judged: readonly JudgedFrame[], outcomes: readonly EventOutcome[]): FrameReply[] {
  const answers = outcomes[Symbol.iterator]();
  return judged.flatMap((frame) => {
    if ("refused" in frame) return refusedReply(frame.refused);
    const answer = answers.next();
    return answer.done === true ? [] : replyOf(answer.value);
  });
}

function refusedReply({ seq, code, detail }: RefusedFrame): FrameReply {
  return { seq, status: "refused", code, ...(detail === undefined ? {} : { detail }) };
}

function replyOf(outcome: EventOutcome): FrameReply {
  const { seq } = outcome;
  if (outcome.status === "refused")
    return { seq, status: "refused", code: outcome.code, expected_seq: outcome.expectedSeq };
  const { verdict, reasons } = outcome;
  const isHeldBack = verdict === "quarantined" || verdict === "rejected";
  return {
    seq,
    status: isHeldBack && outcome.status === "appended" ? verdict : outcome.status,
    ...(isHeldBack ? { reasons: [...reasons] } : {}),
  };
}
