import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { vi } from "vitest";
import { z } from "zod";
import { frameReplySchema, sessionReplySchema, type Frame } from "../../../src/lib/contract/session.ts";
import { sessionKey } from "../../../src/lib/session/session-log-api.ts";
import type { SessionLog } from "../../../src/workers/objects/session-log.ts";
import { ask } from "./worker.ts";

/** An open session and what writes to it. */
export interface OpenSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly token: string;
}

const openedSchema = z.object({ session_id: z.string(), write_token: z.string() });

const replySchema = z.object({
  ack: z.int().default(0),
  token: z.string().nullable().default(null),
  frames: z.array(frameReplySchema).default([]),
  code: z.string().default(""),
});

export function frame(seq: number, more: Partial<Frame> = {}): Frame {
  return {
    seq,
    at_ms: Date.UTC(2026, 0, 1) + seq * 60_000,
    role: "user",
    text: `The meeting number ${seq} is in the library.`,
    ...more,
  };
}

export function lines(frames: readonly Frame[]): string {
  return frames.map((each) => `${JSON.stringify(each)}\n`).join("");
}

export async function openSession(key: string, userId: string, more: object = {}): Promise<OpenSession> {
  const body = { ...(userId === "" ? {} : { user_id: userId }), ...more };
  const init = { method: "POST", key, body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  const opened = openedSchema.parse((await ask("/v1/sessions", init)).json);
  return { sessionId: opened.session_id, userId, token: opened.write_token };
}

export async function sendFrames(
  session: OpenSession,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const path = `/v1/sessions/${encodeURIComponent(session.sessionId)}/frames${userQuery(session)}`;
  const reply = await ask(path, {
    method: "POST",
    key: session.token,
    body,
    headers: { "content-type": "application/x-ndjson", ...headers },
  });
  return { status: reply.status, json: replySchema.parse(reply.json) };
}

export async function sessionState(session: OpenSession): Promise<z.infer<typeof sessionReplySchema>> {
  const path = `/v1/sessions/${encodeURIComponent(session.sessionId)}${userQuery(session)}`;
  return sessionReplySchema.parse((await ask(path, { key: session.token })).json);
}

function userQuery({ userId }: OpenSession): string {
  return userId === "" ? "" : `?user_id=${encodeURIComponent(userId)}`;
}

/** The log itself, for its alarm and its storage. */
export function stubOf(tenantId: string, { userId, sessionId }: OpenSession): DurableObjectStub<SessionLog> {
  const logs: unknown = Reflect.get(env, "SESSION_LOG");
  // The pool binds it from wrangler.toml.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (logs as DurableObjectNamespace<SessionLog>).getByName(sessionKey({ tenantId, userId, sessionId }));
}

/** Runs the log's alarm as if so much time had passed since now. */
export async function runAlarmAfter(delayMs: number, stub: DurableObjectStub<SessionLog>): Promise<void> {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + delayMs });
  try {
    await runDurableObjectAlarm(stub);
  } finally {
    vi.useRealTimers();
  }
}
