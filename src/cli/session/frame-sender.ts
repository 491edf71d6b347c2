import { setTimeout as sleep } from "node:timers/promises";
import { framesReplySchema, type Frame, type FramesReply } from "../../lib/contract/session.ts";
import type { OpenedReply } from "../../lib/contract/session-opening.ts";
import { ApiClient, ApiError } from "../api-client.ts";
import { CommandError } from "../command-error.ts";
import type { Connection } from "../connection.ts";
import { EXIT } from "../exit-code.ts";
import { LiveSocket } from "./live-socket.ts";
import { openSession, type SessionTarget } from "./open-session.ts";
import type { Message } from "./parse-message.ts";

/** Attempts at one request over a connection that is cut; with the waits between them about two minutes. */
const ATTEMPTS_MAX = 10;
const BACKOFF_MS = { first: 250, longest: 30_000 } as const;
/** Problems that opening the session again resolves: its lease or its token is over. */
const REOPENED_BY = new Set(["session_closed", "session_unknown", "token_expired"]);

interface SenderOptions {
  readonly target: SessionTarget;
  /** Over a WebSocket, not a request each. */
  readonly live: boolean;
  readonly note: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Sends messages of one session in order. Every message keeps its seq over retries, which makes them harmless. */
export class FrameSender {
  readonly #connection: Connection;
  readonly #options: SenderOptions;
  #opened: OpenedReply;
  #nextSeq: number;
  #socket: LiveSocket | undefined;

  private constructor(connection: Connection, options: SenderOptions, opened: OpenedReply) {
    this.#connection = connection;
    this.#options = options;
    this.#opened = opened;
    this.#nextSeq = opened.next_seq;
  }

  static async open(connection: Connection, options: SenderOptions): Promise<FrameSender> {
    return new FrameSender(connection, options, await openSession(connection.api, options.target, options));
  }

  get session(): OpenedReply {
    return this.#opened;
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  /** Gives each message its seq and sends them in one request, until the service has answered. */
  async send(messages: readonly Message[]): Promise<FramesReply> {
    const frames = messages.map((message): Frame => {
      const seq = message.seq ?? this.#nextSeq;
      this.#nextSeq = Math.max(this.#nextSeq, seq + 1);
      return { ...message, seq };
    });
    const text = frames.map((frame) => JSON.stringify(frame)).join("\n");
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await (this.#options.live ? this.#exchange(text) : this.#post(text));
      } catch (error) {
        await this.#recover(error, attempt);
      }
    }
  }

  #post(text: string): Promise<FramesReply> {
    const { session_id: sessionId, write_token: token } = this.#opened;
    return new ApiClient(this.#connection.url, token).json(framesReplySchema, {
      method: "POST",
      path: `/v1/sessions/${encodeURIComponent(sessionId)}/frames`,
      body: { mediaType: "application/x-ndjson", text },
    });
  }

  async #exchange(text: string): Promise<FramesReply> {
    if (this.#socket?.isOpen !== true) {
      const { session_id: sessionId, write_token: token } = this.#opened;
      const path = `/v1/sessions/${encodeURIComponent(sessionId)}/live`;
      this.#socket = await LiveSocket.connect(this.#connection.url, { path, token });
    }
    return this.#socket.exchange(text);
  }

  /** Ends the connection, where there is one. */
  close(): void {
    this.#socket?.close();
  }

  async #reopen(): Promise<void> {
    const { target } = this.#options;
    const again = { ...target, sessionId: this.#opened.session_id };
    this.#opened = await openSession(this.#connection.api, again, this.#options);
  }

  /** Returns when another attempt makes sense, else throws what went wrong. */
  async #recover(error: unknown, attempt: number): Promise<void> {
    const { note, signal, live } = this.#options;
    this.close();
    if (attempt >= ATTEMPTS_MAX) throw error;
    if (error instanceof ApiError && REOPENED_BY.has(error.code)) return this.#reopen();
    if (!(error instanceof CommandError) || error.exitCode !== EXIT.unreachable) throw error;
    if (attempt === 1) note(`${error.message}; trying again`);
    const delayMs = Math.min(BACKOFF_MS.longest, BACKOFF_MS.first * 2 ** (attempt - 1));
    await sleep(delayMs, undefined, { signal });
    // A handshake does not say why it failed: the session may be closed.
    if (live) await this.#reopen().catch(() => undefined);
  }
}
