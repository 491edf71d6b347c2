import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { err, ok } from "../../../lib/base/result.ts";
import type { ProblemCode } from "../../../lib/contract/problem.ts";
import { userIdSchema } from "../../../lib/contract/scope.ts";
import { frameSchema, framesReplySchema, sessionReplySchema } from "../../../lib/contract/session.ts";
import { appendFrames } from "../../../lib/flows/sessions/append-frames.ts";
import { askLog } from "../../../lib/flows/sessions/ask-log.ts";
import { readSession } from "../../../lib/flows/sessions/read-session.ts";
import { decodeFrameBody, FRAMES_MEDIA_TYPE, LINES_MEDIA_TYPE } from "../../../lib/session/decode-frame-body.ts";
import type { AppendInput } from "../../../lib/session/session-log-api.ts";
import { noteFrames } from "../../note-frames.ts";
import { LIVE_HEADERS, LIVE_PROTOCOL } from "../../objects/live-protocol.ts";
import { readBody } from "../read-body.ts";
import { json } from "../respond.ts";
import { route, sessionOf } from "../route.ts";

const querySchema = z.strictObject({
  user_id: userIdSchema.optional().describe("whose session; left out, the credential's user or shared by the tenant"),
});

const SESSION_PROBLEMS = ["session_unknown", "session_closed"] as const satisfies readonly ProblemCode[];

export const sessionFrameRoutes = [
  route({
    method: "POST",
    path: "/v1/sessions/:id/frames",
    operationId: "appendFrames",
    area: "sessions",
    summary: "Append 1 to 1000 messages to a conversation",
    description:
      "The reply leaves after the events are durable: `ack` is the seq up to which all are. Each frame is answered by itself; sending one again is harmless.",
    access: "session",
    query: querySchema,
    body: frameSchema,
    bodyMediaTypes: [FRAMES_MEDIA_TYPE, LINES_MEDIA_TYPE],
    replies: { 200: { description: "What became of each frame", schema: framesReplySchema } },
    problems: [
      ...SESSION_PROBLEMS,
      "session_backlogged",
      "sessions_unavailable",
      "body_truncated",
      "body_too_large",
      "body_bomb",
      "no_documents",
      "media_type_unsupported",
      "content_encoding_unsupported",
      "pii_analyzer_unavailable",
      "pii_key_missing",
    ],
    async handle(call) {
      const { context, requestId, traceId } = call;
      const { principal, session } = sessionOf(call);
      const body = await readBody(call.request, LIMITS.requestFrameBytesMax);
      if (!body.ok) return body;
      const { headers } = call.request;
      const frames = decodeFrameBody(body.value, {
        contentType: headers.get("content-type") ?? "",
        contentEncoding: headers.get("content-encoding") ?? "",
      });
      if (!frames.ok) return frames;
      if (frames.value.length === 0) return err({ code: "no_documents", detail: "there is no frame" });
      const append = (input: AppendInput) => context.sessionLog(session).append(input);
      const appending = { ...context, append };
      const appended = await appendFrames(appending, { principal, session, requestId, traceId, frames: frames.value });
      if (!appended.ok) return appended;
      noteFrames(context.metrics, appended.value);
      const { reply } = appended.value;
      Object.assign(call.facts, { frames: frames.value.length, ack: reply.ack, wal_id: reply.token });
      return ok(json(reply));
    },
  }),
  route({
    method: "GET",
    path: "/v1/sessions/:id/live",
    operationId: "streamFrames",
    area: "sessions",
    summary: "The same over a WebSocket",
    description:
      "Binary messages hold frames, text messages NDJSON; each is answered by one text message, in order. A browser gives its write token as the " +
      `subprotocol jeeves.token.<token> beside ${LIVE_PROTOCOL}.`,
    access: "session",
    query: querySchema,
    replies: { 101: { description: "Switching to the WebSocket" } },
    problems: [...SESSION_PROBLEMS, "sessions_unavailable", "upgrade_required", "rate_limited"],
    async handle(call) {
      if (call.request.headers.get("upgrade")?.toLowerCase() !== "websocket") return err({ code: "upgrade_required" });
      const { session, keyHash } = sessionOf(call);
      const log = call.context.sessionLog(session);
      const description = await askLog(call.context, () => log.describe());
      if (!description.ok) return description;
      if (description.value === null) return err({ code: "session_unknown" });
      if (description.value.state === "closed") return err({ code: "session_closed" });
      const headers = {
        upgrade: "websocket",
        [LIVE_HEADERS.session]: encodeURIComponent(JSON.stringify(session)),
        [LIVE_HEADERS.keyHash]: keyHash,
        [LIVE_HEADERS.traceId]: call.traceId,
      };
      const upgrade = await askLog(call.context, () => log.fetch("https://session/live", { headers }));
      if (!upgrade.ok) return upgrade;
      const upgraded = upgrade.value;
      if (upgraded.status !== 101 || upgraded.webSocket === null) return err({ code: "rate_limited" });
      const offered = (call.request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
      const chosen = offered.includes(LIVE_PROTOCOL) ? { "sec-websocket-protocol": LIVE_PROTOCOL } : {};
      return ok(new Response(null, { status: 101, webSocket: upgraded.webSocket, headers: chosen }));
    },
  }),
  route({
    method: "POST",
    path: "/v1/sessions/:id/seal",
    operationId: "sealSession",
    area: "sessions",
    summary: "Seal what the conversation holds by now into a segment",
    access: "session",
    query: querySchema,
    replies: {
      202: { description: "It is being sealed; the session goes on", schema: z.object({ state: z.string() }) },
    },
    problems: ["session_unknown", "sessions_unavailable"],
    async handle(call) {
      const log = call.context.sessionLog(sessionOf(call).session);
      const sealed = await askLog(call.context, () => log.seal());
      if (!sealed.ok) return sealed;
      return sealed.value.ok ? ok(json({ state: "sealing" }, 202)) : err({ code: sealed.value.code });
    },
  }),
  route({
    method: "GET",
    path: "/v1/sessions/:id",
    operationId: "getSession",
    area: "sessions",
    summary: "State of a conversation, how far its events are, and its segments",
    access: "session",
    query: querySchema,
    replies: { 200: { description: "The session", schema: sessionReplySchema } },
    problems: ["session_unknown", "sessions_unavailable", "database_unavailable"],
    async handle(call) {
      const reply = await readSession(call.context, sessionOf(call).session);
      return reply.ok ? ok(json(reply.value)) : reply;
    },
  }),
];
