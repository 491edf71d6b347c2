import { setTimeout as sleep } from "node:timers/promises";
import { sessionReplySchema, type SessionReply } from "../../lib/contract/session.ts";
import { eraseSessionReplySchema, type EraseSessionReply } from "../../lib/contract/session-erasure.ts";
import type { ApiClient } from "../api-client.ts";
import { style } from "../terminal/style.ts";

/** Distance of looks at a session that is followed. */
const FOLLOW_EVERY_MS = 1_000;

export interface NamedSession {
  readonly sessionId: string;
  readonly userId: string | undefined;
}

/** Path of a session of the API, or of a part of it. */
export function sessionPath({ sessionId, userId }: NamedSession, part = ""): string {
  const query = userId === undefined ? "" : `?${new URLSearchParams({ user_id: userId }).toString()}`;
  return `/v1/sessions/${encodeURIComponent(sessionId)}${part}${query}`;
}

export function readSession(api: ApiClient, session: NamedSession): Promise<SessionReply> {
  return api.json(sessionReplySchema, { path: sessionPath(session) });
}

/** Reads the session until `isEnough`, and hands out each state that differs from the one before. */
export async function followSession(
  api: ApiClient,
  session: NamedSession,
  {
    isEnough,
    onChange,
  }: { readonly isEnough: (reply: SessionReply) => boolean; readonly onChange: (reply: SessionReply) => void },
): Promise<void> {
  let shown = "";
  for (;;) {
    const reply = await readSession(api, session);
    const state = JSON.stringify(reply);
    if (state !== shown) onChange(reply);
    shown = state;
    if (isEnough(reply)) return;
    await sleep(FOLLOW_EVERY_MS);
  }
}

export function sessionText({ session_id: id, user_id: user, seqs, segments, ...reply }: SessionReply): string {
  const state = reply.state === "open" ? style.green(reply.state) : style.yellow(reply.state);
  const of = user === "" ? "shared by the tenant" : `of ${user}`;
  const lines = [
    `${style.bold(id)}  ${state}  ${style.dim(`${of}, since ${reply.opened_at}`)}`,
    `  durable ${seqs.durable}, queued ${seqs.queued}, searchable ${seqs.embedded}, sealed ${seqs.sealed}`,
  ];
  if (reply.refused_count > 0) lines.push(`  ${style.yellow(`${reply.refused_count} refused`)}`);
  for (const segment of segments) {
    const registered = segment.registered ? "" : style.yellow("  not registered yet");
    const what = `${segment.event_count} events, ${segment.size_bytes} bytes`;
    lines.push(`  ${segment.artifact_id}  ${segment.first_seq}–${segment.last_seq}  ${style.dim(what)}${registered}`);
  }
  return lines.join("\n");
}

/** Erases until nothing is left, and adds up what went. */
export async function eraseSession(api: ApiClient, session: NamedSession): Promise<EraseSessionReply> {
  let total: EraseSessionReply | undefined;
  for (;;) {
    const path = sessionPath(session);
    const reply = await api.json(eraseSessionReplySchema, { method: "DELETE", path });
    total = total === undefined ? reply : sum(total, reply);
    if (reply.done) return total;
  }
}

function sum(a: EraseSessionReply, b: EraseSessionReply): EraseSessionReply {
  return {
    ...b,
    event_count: a.event_count + b.event_count,
    document_count: a.document_count + b.document_count,
    deleted_chunk_count: a.deleted_chunk_count + b.deleted_chunk_count,
    segment_count: a.segment_count + b.segment_count,
    held_text_count: a.held_text_count + b.held_text_count,
  };
}
