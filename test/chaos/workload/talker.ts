import { setTimeout as sleep } from "node:timers/promises";
import { ApiClient } from "../../../src/cli/api-client.ts";
import { openedReplySchema } from "../../../src/lib/contract/session-opening.ts";
import { type Frame, framesReplySchema } from "../../../src/lib/contract/session.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import type { ToldSession } from "../told.ts";
import { type Load, untilAnswered } from "./load.ts";
import type { TextSource } from "./text-source.ts";

export interface TalkerOptions {
  readonly url: string;
  readonly key: string;
  readonly session: ToldSession;
  readonly texts: TextSource;
  readonly random: SeededRandom;
}

/** A session that can still be read and sealed. */
export interface Talked {
  readonly session: ToldSession;
  readonly writeToken: string;
}

const FRAMES_MAX = 3;
const PAUSE_MS = { min: 300, max: 1_200 };

/** Opens the session and talks until the load is over. Undefined where it could not be opened. */
export async function runTalker(
  load: Load,
  { url, key, session, texts, random }: TalkerOptions,
): Promise<Talked | undefined> {
  const { sessionId, userId } = session;
  const api = new ApiClient(url, key);
  const json = { session_id: sessionId, user_id: userId };
  const opened = await untilAnswered(load, sessionId, () =>
    api.json(openedReplySchema, { method: "POST", path: "/v1/sessions", json, attemptsMax: 1 }),
  );
  if (opened === undefined) return undefined;
  load.told.sessions.push(session);
  const writer = new ApiClient(url, opened.write_token);
  for (let seq = 1; !load.isOver; await sleep(random.between(PAUSE_MS.min, PAUSE_MS.max))) {
    const frames = Array.from({ length: random.between(1, FRAMES_MAX) }, (_, index): Frame => {
      return { seq: seq + index, at_ms: Date.now(), role: "user", speaker: userId, text: texts.next() };
    });
    const ack = await untilAnswered(load, `${sessionId}/${seq}`, () => send(writer, sessionId, frames));
    for (const frame of frames) if (ack !== undefined && frame.seq <= ack) session.acked.set(frame.seq, frame.text);
    seq += frames.length;
  }
  return { session, writeToken: opened.write_token };
}

async function send(writer: ApiClient, sessionId: string, frames: readonly Frame[]): Promise<number> {
  const reply = await writer.json(framesReplySchema, {
    method: "POST",
    path: `/v1/sessions/${sessionId}/frames`,
    body: { mediaType: "application/x-ndjson", text: frames.map((frame) => JSON.stringify(frame)).join("\n") },
    attemptsMax: 1,
  });
  const isWhole = reply.frames.every(({ status }) => status === "appended" || status === "repeated");
  if (!isWhole || reply.ack < (frames.at(-1)?.seq ?? 0)) throw new Error(`answered ${JSON.stringify(reply)}`);
  return reply.ack;
}
