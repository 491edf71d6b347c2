import { z } from "zod";
import { assert } from "../../../lib/base/assert.ts";
import { DAY_MS } from "../../../lib/base/durations.ts";
import { bearerOf } from "../../../lib/auth/authenticator.ts";
import { sha256HexSync } from "../../../lib/base/hash.ts";
import { err, ok, type Result } from "../../../lib/base/result.ts";
import type { Principal } from "../../../lib/contract/principal.ts";
import type { Problem } from "../../../lib/contract/problem.ts";
import { userIdSchema } from "../../../lib/contract/scope.ts";
import { eraseSessionReplySchema } from "../../../lib/contract/session-erasure.ts";
import {
  openedReplySchema,
  openRequestSchema,
  sessionIdSchema,
  waitingReplySchema,
  type OpenedReply,
} from "../../../lib/contract/session-opening.ts";
import { eraseSession } from "../../../lib/flows/sessions/erase-session.ts";
import { openSession, type Opened } from "../../../lib/flows/sessions/open-session.ts";
import type { SessionIdentity } from "../../../lib/session/session-log-api.ts";
import { json } from "../respond.ts";
import { principalOf, route, type Call } from "../route.ts";

/** How long a write token may be used, milliseconds: a client that streams for longer opens its session again, which makes a new one. */
const TOKEN_LIFETIME_MS = DAY_MS;

export const sessionRoutes = [
  route({
    method: "POST",
    path: "/v1/sessions",
    operationId: "openSession",
    area: "sessions",
    summary: "Open a conversation, or renew an open one",
    description:
      "The reply has the write token with which events are sent. The same request again is harmless: it renews the lease and the token and says " +
      "which seq comes next. Where no more sessions can be open it is refused, or with `wait` put in line: ask again after `retry_after_seconds`.",
    access: "ingest",
    body: openRequestSchema,
    replies: {
      201: { description: "Open", schema: openedReplySchema },
      202: { description: "Waiting for a place; with Retry-After", schema: waitingReplySchema },
    },
    problems: [
      "user_forbidden",
      "sessions_full",
      "sessions_not_configured",
      "sessions_unavailable",
      "storage_unavailable",
    ],
    async handle(call, { body }) {
      const { context } = call;
      const principal = principalOf(call);
      if (context.writeTokens === undefined) return err({ code: "sessions_not_configured" });
      const userId = chooseUser(principal, body.user_id);
      if (!userId.ok) return userId;
      const sessionId = body.session_id ?? context.newUlid();
      const session = { tenantId: principal.tenantId, userId: userId.value, sessionId };
      const opening = { session, source: body.source, wait: body.wait, nowMs: context.clock() };
      const opened = await openSession(context, opening);
      context.metrics.count("sessions_opened_total", { outcome: outcomeOf(opened) });
      if (!opened.ok) return opened;
      if (opened.value.outcome === "opened")
        return ok(json(openedReply(call, { session, opened: opened.value, nowMs: opening.nowMs }), 201));
      const { ticket, position, retryAfterSeconds } = opened.value;
      const reply = { session_id: sessionId, ticket, position, retry_after_seconds: retryAfterSeconds };
      return ok(json(reply, 202, { "retry-after": String(retryAfterSeconds) }));
    },
  }),
  route({
    method: "DELETE",
    path: "/v1/sessions/:id",
    operationId: "eraseSession",
    area: "sessions",
    summary: "Erase a conversation: its log, segments, summaries, quarantined texts and documents",
    description:
      "Its sockets close, its place is free, and its documents stay deleted even where they were still on their way. The session may be opened anew " +
      "under the same id. With `done: false` there is more than one request erases: send it again. Erasing again is harmless.",
    access: "ingest",
    query: z.strictObject({
      user_id: userIdSchema.optional().describe("whose session; left out, the key's user or shared by the tenant"),
    }),
    replies: { 200: { description: "What was erased", schema: eraseSessionReplySchema } },
    problems: [
      "user_forbidden",
      "session_unknown",
      "sessions_unavailable",
      "storage_unavailable",
      "database_unavailable",
    ],
    async handle(call, { query }) {
      const principal = principalOf(call);
      const sessionId = sessionIdSchema.safeParse(call.params["id"]);
      if (!sessionId.success) return err({ code: "parameter_invalid", pointer: "/id" });
      const userId = chooseUser(principal, query.user_id);
      if (!userId.ok) return userId;
      const session = { tenantId: principal.tenantId, userId: userId.value, sessionId: sessionId.data };
      const erased = await eraseSession(call.context, session);
      return erased.ok ? ok(json(erased.value)) : erased;
    },
  }),
];

/** A key that is bound to a user opens sessions of that user only. */
function chooseUser(principal: Principal, asked: string | undefined): Result<string, Problem> {
  const userId = asked ?? principal.userId;
  return principal.userId === "" || principal.userId === userId ? ok(userId) : err({ code: "user_forbidden" });
}

function outcomeOf(opened: Result<Opened, Problem>): string {
  if (!opened.ok) return opened.error.code === "sessions_full" ? "refused" : "failed";
  if (opened.value.outcome === "waiting") return "waiting";
  return opened.value.isNew ? "opened" : "renewed";
}

function openedReply(
  { context, request }: Call,
  {
    session,
    opened,
    nowMs,
  }: {
    readonly session: SessionIdentity;
    readonly opened: Extract<Opened, { outcome: "opened" }>;
    readonly nowMs: number;
  },
): OpenedReply {
  const key = bearerOf(request.headers.get("authorization"));
  assert(context.writeTokens !== undefined && key !== undefined, "a session is opened with a key and a secret");
  const expiresAtMs = nowMs + TOKEN_LIFETIME_MS;
  return {
    session_id: session.sessionId,
    user_id: session.userId,
    write_token: context.writeTokens.seal({ ...session, keyHash: sha256HexSync(key), expiresAtMs }),
    token_expires_at: new Date(expiresAtMs).toISOString(),
    lease_expires_at: new Date(opened.leaseExpiresAtMs).toISOString(),
    next_seq: opened.nextSeq,
  };
}
