/** From the frames of a request to events that a log can take. */
import { ok, type Result } from "../../base/result.ts";
import type { Candidate } from "../../body/decoded-body.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Frame, FrameRefusal } from "../../contract/session.ts";
import type { DecodedFrame } from "../../session/frame-codec.ts";
import type { AppendEvent, SessionIdentity } from "../../session/session-log-api.ts";
import { eventDocumentId, eventMetadata, payloadHash } from "../../session/stored-event.ts";
import { judgeRequest, type JudgingContext } from "../judging/judge-request.ts";

export interface FramesToJudge {
  /** Whose events they are: its user is the session's. */
  readonly principal: Principal;
  readonly session: SessionIdentity;
  readonly frames: readonly DecodedFrame[];
  readonly nowMs: number;
}

/** A frame that goes no further. */
export interface RefusedFrame {
  readonly seq: number | null;
  readonly code: FrameRefusal;
  readonly detail?: string;
}

/** One place of the request: what the log is asked, or why it is not. */
export type JudgedFrame = { readonly event: AppendEvent } | { readonly refused: RefusedFrame };

/**
 * Judges the frames of a request as one batch of inputs of the tier `event`. A seq that the request holds twice is judged once: its second frame is a
 * repeat of the first or a conflict. Errors: those of `judgeRequest`; nothing may be stored then.
 */
export async function judgeFrames(
  context: JudgingContext,
  { principal, session, frames, nowMs }: FramesToJudge,
): Promise<Result<readonly JudgedFrame[], Problem>> {
  const first = new Map<number, Frame>();
  for (const decoded of frames) {
    if (!decoded.ok || isForeign(decoded.value.frame, session) || first.has(decoded.value.frame.seq)) continue;
    first.set(decoded.value.frame.seq, decoded.value.frame);
  }
  const candidates = [...first.values()].map((frame) => candidateOf(session, frame));
  const inputs = await judgeRequest(context, { principal, candidates, nowMs });
  if (!inputs.ok) return inputs;
  const judged = new Map([...first.values()].map((frame, index) => [frame, inputs.value[index] ?? null]));
  return ok(
    frames.map((decoded): JudgedFrame => {
      if (!decoded.ok) return { refused: { seq: null, ...decoded.error } };
      const { frame } = decoded.value;
      if (isForeign(frame, session)) return { refused: { seq: frame.seq, code: "user_mismatch" } };
      return { event: { seq: frame.seq, payloadHash: payloadHash(frame), judged: judged.get(frame) ?? null } };
    }),
  );
}

/** Whether a frame says that it belongs to another user or session than the one it was sent to. */
function isForeign({ metadata = {} }: Frame, { userId, sessionId }: SessionIdentity): boolean {
  const { user_id: user = userId, session_id: session = sessionId } = metadata;
  return user !== userId || session !== sessionId;
}

function candidateOf(session: SessionIdentity, frame: Frame): Candidate {
  return {
    value: {
      id: eventDocumentId(session.sessionId, frame.seq),
      text: frame.text,
      tier: "event",
      source: "session",
      ...(session.userId === "" ? {} : { user_id: session.userId }),
      occurred_at: new Date(Math.min(frame.at_ms, LATEST_DATE_MS)).toISOString(),
      metadata: eventMetadata(session.sessionId, frame),
    },
  };
}

/** Last millisecond that has a date of four digits; what lies so far ahead is refused as being in the future. */
const LATEST_DATE_MS = Date.UTC(9999, 11, 31);
