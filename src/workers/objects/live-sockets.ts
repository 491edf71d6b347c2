/** WebSockets of one session: each message is a request of frames, answered by one text message, in the order in which they came. */
import { utf8Bytes } from "../../lib/base/bytes.ts";
import { uuidV7 } from "../../lib/base/ids.ts";
import { LIMITS } from "../../lib/base/limits.ts";
import { err, ok, type Result } from "../../lib/base/result.ts";
import type { Principal } from "../../lib/contract/principal.ts";
import type { Problem } from "../../lib/contract/problem.ts";
import { appendFrames } from "../../lib/flows/sessions/append-frames.ts";
import { decodeFrameLines, FRAME_LIMITS } from "../../lib/session/decode-frame-body.ts";
import { decodeFrames } from "../../lib/session/frame-codec.ts";
import type { SessionIdentity, SessionLogApi } from "../../lib/session/session-log-api.ts";
import type { Context } from "../context.ts";
import { noteFrames } from "../note-frames.ts";
import { currentTrace, inTrace } from "../trace-scope.ts";
import { LIVE_HEADERS } from "./live-protocol.ts";

/** Sockets of one session: its devices and those that a broken network left behind. */
const SOCKETS_MAX = 32;
/** Messages of one socket that wait for the one before them: a client that sends more does not read its answers. */
const MESSAGES_WAITING_MAX = 64;

const CLOSE = { policy: 1008, tooMuch: 1013, erased: 4404 } as const;

/** What outlives hibernation with a socket: 16 KiB at most, and this has under 4. */
interface Attachment {
  readonly session: SessionIdentity;
  readonly keyHash: string;
  /** All messages of a socket belong to the trace of its upgrade. */
  readonly traceId: string | undefined;
}

interface Line {
  tail: Promise<void>;
  length: number;
}

export interface LiveContext {
  readonly context: () => Context;
  readonly append: SessionLogApi["append"];
}

export class LiveSockets {
  readonly #state: DurableObjectState;
  readonly #live: LiveContext;
  readonly #lines = new WeakMap<WebSocket, Line>();

  constructor(state: DurableObjectState, live: LiveContext) {
    this.#state = state;
    this.#live = live;
    // Answered by the platform, without waking the object.
    state.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  accept(request: Request): Response {
    if (this.#state.getWebSockets().length >= SOCKETS_MAX) return new Response(null, { status: 429 });
    const attachment: Attachment = {
      session: JSON.parse(decodeURIComponent(request.headers.get(LIVE_HEADERS.session) ?? "")),
      keyHash: request.headers.get(LIVE_HEADERS.keyHash) ?? "",
      traceId: request.headers.get(LIVE_HEADERS.traceId) ?? undefined,
    };
    const { 0: client, 1: server } = new WebSocketPair();
    server.serializeAttachment(attachment);
    this.#state.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Answers one message after those that came before it on the same socket. */
  async receive(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    const line = this.#lines.get(socket) ?? { tail: Promise.resolve(), length: 0 };
    this.#lines.set(socket, line);
    if (line.length >= MESSAGES_WAITING_MAX) return socket.close(CLOSE.tooMuch, "too many messages without an answer");
    line.length += 1;
    const before = line.tail;
    line.tail = (async () => {
      await before;
      await this.#answer(socket, message);
      line.length -= 1;
    })();
    await line.tail;
  }

  forget(socket: WebSocket): void {
    this.#lines.delete(socket);
    try {
      socket.close();
    } catch {
      // It is closed already.
    }
  }

  closeAll(): void {
    for (const socket of this.#state.getWebSockets()) socket.close(CLOSE.erased, "session_unknown");
  }

  async #answer(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    // Written by `accept`.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const attachment = socket.deserializeAttachment() as Attachment;
    await inTrace(attachment.traceId, () => this.#answerFrom(socket, attachment, message));
  }

  async #answerFrom(socket: WebSocket, { session, keyHash }: Attachment, message: string | ArrayBuffer): Promise<void> {
    const context = this.#live.context();
    try {
      const principal = await this.#principal(context, session, keyHash);
      if (!principal.ok) {
        socket.send(problemText(principal.error));
        return socket.close(CLOSE.policy, principal.error.code);
      }
      const reply = await this.#append(context, { session, principal: principal.value, message });
      socket.send(reply.ok ? JSON.stringify(reply.value) : problemText(reply.error));
    } catch (thrown) {
      context.log.error("live_message_failed", { error: thrown instanceof Error ? thrown.name : typeof thrown });
      socket.close(1011, "internal");
    } finally {
      context.metrics.flushSoon((work) => this.#state.waitUntil(work));
    }
  }

  /** The key is looked up for every message, in the caches of the authenticator: a revoked one ends its sockets as it ends its requests. */
  async #principal(context: Context, session: SessionIdentity, keyHash: string): Promise<Result<Principal, Problem>> {
    const found = await context.authenticator.authenticateHash(keyHash, (work) => this.#state.waitUntil(work));
    if (!found.ok) return err({ code: found.error });
    const key = found.value;
    if (!key.scopes.includes("ingest")) return err({ code: "scope_missing" });
    const isOwn = key.tenantId === session.tenantId && (key.userId === "" || key.userId === session.userId);
    return isOwn ? ok({ ...key, userId: session.userId, scopes: ["ingest"] }) : err({ code: "user_forbidden" });
  }

  async #append(
    context: Context,
    message: { session: SessionIdentity; principal: Principal; message: string | ArrayBuffer },
  ) {
    const isText = typeof message.message === "string";
    const bytes = typeof message.message === "string" ? utf8Bytes(message.message) : new Uint8Array(message.message);
    if (bytes.length > LIMITS.requestFrameBytesMax)
      return err<Problem>({ code: "body_too_large", detail: `at most ${LIMITS.requestFrameBytesMax} bytes` });
    const frames = isText ? decodeFrameLines(bytes) : decodeFrames(bytes, FRAME_LIMITS);
    const { session, principal } = message;
    const requestId = uuidV7(context.clock, context.fillRandom);
    const ids = { requestId, traceId: currentTrace()?.traceId ?? null };
    const appending = { ...context, append: this.#live.append };
    const appended = await appendFrames(appending, { principal, session, ...ids, frames });
    if (!appended.ok) return appended;
    noteFrames(context.metrics, appended.value);
    return ok(appended.value.reply);
  }
}

function problemText({ code, detail, retryAfterSeconds }: Problem): string {
  return JSON.stringify({ code, detail, retry_after_seconds: retryAfterSeconds });
}
