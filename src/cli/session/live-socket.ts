import { z } from "zod";
import { PROBLEMS, type ProblemCode } from "../../lib/contract/problem.ts";
import { framesReplySchema, type FramesReply } from "../../lib/contract/session.ts";
import { ApiError } from "../api-client.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";

/** How long an answer may take: as long as that of a request. */
const ANSWER_TIMEOUT_MS = 60_000;

const problemCodes = Object.keys(PROBLEMS).filter((code): code is ProblemCode => code in PROBLEMS);
const answerSchema = z.union([framesReplySchema, z.object({ code: z.enum(problemCodes) })]);

/** One WebSocket of a session. Messages are sent one at a time, each after the answer to the one before. */
export class LiveSocket {
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Rejects as unreachable where there is no connection: the handshake does not say why. */
  static async connect(
    url: string,
    { path, token }: { readonly path: string; readonly token: string },
  ): Promise<LiveSocket> {
    const address = new URL(path, url.replace(/^http/, "ws"));
    const socket = new WebSocket(address, ["jeeves.v1", `jeeves.token.${token}`]);
    await eventOf(socket, "open");
    return new LiveSocket(socket);
  }

  get isOpen(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  async exchange(text: string): Promise<FramesReply> {
    const answered = eventOf(this.#socket, "message");
    this.#socket.send(text);
    const event = await answered;
    const answer = answerSchema.parse(JSON.parse(event instanceof MessageEvent ? String(event.data) : ""));
    if (!("code" in answer)) return answer;
    throw new ApiError(`the session answered ${answer.code}`, { ...PROBLEMS[answer.code], code: answer.code });
  }

  close(): void {
    this.#socket.close();
  }
}

function eventOf(socket: WebSocket, name: "open" | "message"): Promise<Event> {
  const { promise, resolve, reject } = Promise.withResolvers<Event>();
  const listening = new AbortController();
  const fail = (): void => reject(new CommandError("the WebSocket ended", EXIT.unreachable));
  const timer = setTimeout(fail, ANSWER_TIMEOUT_MS);
  socket.addEventListener(name, resolve, { signal: listening.signal });
  for (const end of ["close", "error"] as const) socket.addEventListener(end, fail, { signal: listening.signal });
  return promise.finally(() => {
    listening.abort();
    clearTimeout(timer);
  });
}
