import { z } from "zod";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { ApiClient } from "../../src/cli/api-client.ts";
import { framesReplySchema } from "../../src/lib/contract/session.ts";
import { openedReplySchema } from "../../src/lib/contract/session-opening.ts";
import type { Conversation, SetTurn } from "./conversation-set.ts";

/** Frames of one request: a few seconds of a lively conversation would be one, a benchmark has more to tell. */
const FRAMES_PER_REQUEST = 50;
/** How long the store may take for what is queued, milliseconds. */
const EMBEDDED_WITHIN_MS = 10 * MINUTE_MS;
const WAIT_MS = 30_000;

export interface Streamed {
  readonly statuses: Readonly<Record<string, number>>;
  /** Document id of each event to the turn that it is. */
  readonly turnIds: ReadonlyMap<string, string>;
  /** min_token of the last events of each session. */
  readonly tokens: readonly string[];
}

/** Streams every session of a conversation as a client would: opened, then frames under its write token, in order. */
export async function streamConversation(url: string, key: string, conversation: Conversation): Promise<Streamed> {
  const statuses: Record<string, number> = {};
  const turnIds = new Map<string, string>();
  const tokens: string[] = [];
  const api = new ApiClient(url, key);
  for (const [session, turns] of Map.groupBy(conversation.turns, (turn) => turn.session)) {
    const sessionId = `${conversation.id}.${session}`;
    const opened = await api.json(openedReplySchema, {
      method: "POST",
      path: "/v1/sessions",
      json: { session_id: sessionId },
    });
    const writer = new ApiClient(url, opened.write_token);
    for (let start = 0; start < turns.length; start += FRAMES_PER_REQUEST) {
      const reply = await writer.json(framesReplySchema, {
        method: "POST",
        path: `/v1/sessions/${sessionId}/frames`,
        body: { mediaType: "application/x-ndjson", text: linesOf(turns.slice(start, start + FRAMES_PER_REQUEST)) },
      });
      for (const { status } of reply.frames) statuses[status] = (statuses[status] ?? 0) + 1;
      if (reply.token !== null) tokens.push(reply.token);
    }
    for (const { seq, id } of turns) turnIds.set(`${sessionId}/${seq}`, id);
  }
  return { statuses, turnIds, tokens };
}

function linesOf(turns: readonly SetTurn[]): string {
  return turns
    .map(({ seq, role, speaker, text, atMs }) =>
      JSON.stringify({ seq, role, text, at_ms: atMs, ...(speaker === undefined ? {} : { speaker }) }),
    )
    .join("\n");
}

/** Returns when a search sees every event that was streamed. */
export async function untilSearchable(api: ApiClient, tokens: readonly string[]): Promise<void> {
  const reply = z.looseObject({ caught_up: z.boolean() });
  const deadlineMs = Date.now() + EMBEDDED_WITHIN_MS;
  for (const token of tokens) {
    for (;;) {
      const json = { query: "anything", mode: "lexical", k: 1, min_token: token, wait_ms: WAIT_MS };
      const { caught_up: caughtUp } = await api.json(reply, { method: "POST", path: "/v1/search", json });
      if (caughtUp) break;
      if (Date.now() > deadlineMs)
        throw new Error(`events of ${token} are not searchable after ${EMBEDDED_WITHIN_MS} ms`);
    }
  }
}
