import { setTimeout as sleep } from "node:timers/promises";
import { ApiClient } from "../../src/cli/api-client.ts";
import { framesReplySchema } from "../../src/lib/contract/session.ts";
import { openedReplySchema } from "../../src/lib/contract/session-opening.ts";
import { encodeFrame } from "../../src/lib/session/frame-codec.ts";

/** The service holds 64 messages of a socket that wait for their answer. */
const UNANSWERED_MAX = 60;
const UNANSWERED_PAUSE_MS = 5;
const CLOSE_WITHIN_MS = 60_000;

/** An event that was acknowledged. */
export interface AckedEvent {
  readonly userId: string;
  readonly sessionId: string;
  readonly seq: number;
  readonly text: string;
  /** When it was to be sent, by the clock of `performance.now()`. */
  readonly plannedAtMs: number;
  readonly ackMs: number;
  readonly status: string;
  readonly token: string | null;
}

export interface TalkPlan {
  readonly userId: string;
  readonly sessionId: string;
  readonly texts: readonly string[];
  /** Of the n-th text: fixed before anything is sent. */
  readonly plannedAtMs: (index: number) => number;
}

/** One user's session, opened and connected, that has not said anything yet. */
export interface Talk {
  readonly writeToken: string;
  /** Sends every text at its time, whether or not the ones before were answered; resolves when all are. */
  run(plan: TalkPlan, onAck: (event: AckedEvent) => void): Promise<void>;
}

export async function openTalk(
  target: { readonly url: string; readonly key: string },
  who: { readonly userId: string; readonly sessionId: string },
): Promise<Talk> {
  const api = new ApiClient(target.url, target.key);
  const json = { session_id: who.sessionId, user_id: who.userId };
  const opened = await api.json(openedReplySchema, { method: "POST", path: "/v1/sessions", json });
  const socketUrl = `${target.url.replace(/^http/, "ws")}/v1/sessions/${who.sessionId}/live`;
  const socket = new WebSocket(socketUrl, ["jeeves.v1", `jeeves.token.${opened.write_token}`]);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener("open", () => resolve(), { once: true });
    socket.addEventListener("error", () => reject(new Error("the socket did not open")), { once: true });
  });
  return { writeToken: opened.write_token, run: (plan, onAck) => talk(socket, plan, onAck) };
}

async function talk(socket: WebSocket, plan: TalkPlan, onAck: (event: AckedEvent) => void): Promise<void> {
  let answered = 0;
  const done = new Promise<void>((resolve, reject) => {
    socket.addEventListener("close", () => reject(new Error(`the socket closed after ${answered} answers`)));
    socket.addEventListener("message", (message) => {
      const receivedAtMs = performance.now();
      const reply = framesReplySchema.parse(JSON.parse(String(message.data)));
      const [frame] = reply.frames;
      const plannedAtMs = plan.plannedAtMs(answered);
      const [seq, text = ""] = [answered + 1, plan.texts[answered]];
      answered += 1;
      if (frame?.seq !== seq || reply.ack < seq) throw new Error(`seq ${seq} was answered by ${JSON.stringify(reply)}`);
      const { userId, sessionId } = plan;
      const ackMs = receivedAtMs - plannedAtMs;
      onAck({ userId, sessionId, seq, text, plannedAtMs, ackMs, status: frame.status, token: reply.token });
      if (answered === plan.texts.length) resolve();
    });
  });
  const sending = sendAll(socket, plan, () => answered);
  await Promise.race([
    Promise.all([sending, done]),
    sending.then(() => sleep(CLOSE_WITHIN_MS, undefined, { ref: false })),
  ]);
  if (answered < plan.texts.length) throw new Error(`${answered} of ${plan.texts.length} events were answered`);
  socket.close();
}

async function sendAll(socket: WebSocket, plan: TalkPlan, answered: () => number): Promise<void> {
  for (const [index, text] of plan.texts.entries()) {
    await sleep(Math.max(0, plan.plannedAtMs(index) - performance.now()));
    // The wait counts into the latency of the event, as everything after its planned time does.
    while (index - answered() >= UNANSWERED_MAX) await sleep(UNANSWERED_PAUSE_MS);
    socket.send(encodeFrame({ seq: index + 1, at_ms: Date.now(), role: "user", speaker: plan.userId, text }));
  }
}
