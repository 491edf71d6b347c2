import { addAbortSignal, type Readable } from "node:stream";
import { LIMITS } from "../../lib/base/limits.ts";
import { ROLES, type FrameReply, type FramesReply } from "../../lib/contract/session.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { requireConnection } from "../connection.ts";
import { CommandError } from "../command-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { Interruption } from "../terminal/interruption.ts";
import { style } from "../terminal/style.ts";
import { FrameSender } from "./frame-sender.ts";
import type { SessionTarget } from "./open-session.ts";
import { parseMessage, type Message } from "./parse-message.ts";

/** Messages of one request: half of what the service takes. */
const MESSAGES_PER_REQUEST = 500;
/** Bytes of one request, before its JSON is escaped: a quarter of what the service takes. */
const REQUEST_BYTES_MAX = LIMITS.requestFrameBytesMax / 4;

/** `jeeves session send`: the lines of the standard input become the session's next events. */
export async function sendLines(args: CommandArguments, target: SessionTarget): Promise<ExitCode> {
  const defaults = { role: args.choice("role", ROLES) ?? "user", speaker: args.text("speaker") } as const;
  const connection = await requireConnection(args);
  const interruption = new Interruption();
  const note = (line: string): void => console.error(`  ${style.dim(line)}`);
  const tally = new Tally(args.flag("json"));
  let sender: FrameSender | undefined;
  try {
    const options = { target, live: args.flag("live"), note, signal: interruption.signal };
    sender = await FrameSender.open(connection, options);
    if (!args.flag("json")) note(`session ${sender.session.session_id}, next seq ${sender.nextSeq}`);
    const input: Readable = addAbortSignal(interruption.signal, process.stdin);
    for await (const lines of lineGroups(input)) {
      const messages: Message[] = [];
      for (const line of lines) {
        const message = parseMessage(line, { ...defaults, nowMs: Date.now() });
        if (message?.ok === true) messages.push(message.value);
        else if (message?.ok === false) tally.refuse(line, message.error);
      }
      for (const group of requests(messages)) tally.add(await sender.send(group));
    }
    tally.print(sender);
    return tally.refusedCount > 0 ? EXIT.failed : EXIT.ok;
  } catch (error) {
    if (!interruption.isAsked) throw error;
    note("interrupted: what was acknowledged is durable; the same command goes on behind it");
    return EXIT.interrupted;
  } finally {
    sender?.close();
    interruption.end();
  }
}

/** Lines as they come: those of a file many at a time, those of a person or a process one by one. */
async function* lineGroups(input: Readable): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of input) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LIMITS.frameBytesMax)
      throw new CommandError(`a line is longer than ${LIMITS.frameBytesMax} bytes`);
    if (lines.length > 0) yield lines;
  }
  yield [rest + decoder.decode()];
}

function* requests(messages: readonly Message[]): Generator<readonly Message[]> {
  let group: Message[] = [];
  let sizeBytes = 0;
  for (const message of messages) {
    const bytes = Buffer.byteLength(message.text);
    if (group.length === MESSAGES_PER_REQUEST || (group.length > 0 && sizeBytes + bytes > REQUEST_BYTES_MAX)) {
      yield group;
      [group, sizeBytes] = [[], 0];
    }
    group.push(message);
    sizeBytes += bytes;
  }
  if (group.length > 0) yield group;
}

/** Counts what became of the messages, and says so where something else became of one than it should. */
class Tally {
  readonly #isJson: boolean;
  readonly #counts: Record<FrameReply["status"], number> = {
    appended: 0,
    repeated: 0,
    quarantined: 0,
    rejected: 0,
    refused: 0,
  };
  #ack = 0;
  #token: string | null = null;

  constructor(isJson: boolean) {
    this.#isJson = isJson;
  }

  get refusedCount(): number {
    return this.#counts.refused;
  }

  add({ ack, token, frames }: FramesReply): void {
    this.#ack = Math.max(this.#ack, ack);
    this.#token = token ?? this.#token;
    for (const frame of frames) {
      this.#counts[frame.status] += 1;
      if (this.#isJson) console.log(JSON.stringify(frame));
      else if (frame.status !== "appended" && frame.status !== "repeated") console.log(frameLine(frame));
    }
  }

  /** A line that was not sent. */
  refuse(line: string, why: string): void {
    this.#counts.refused += 1;
    if (this.#isJson) console.log(JSON.stringify({ seq: null, status: "refused", code: "line_invalid", detail: why }));
    else console.log(`  ${style.red("not sent")}  ${why}: ${line.trim().slice(0, 60)}`);
  }

  print(sender: FrameSender): void {
    const { session_id: sessionId, user_id: userId } = sender.session;
    if (this.#isJson) {
      const ack = this.#ack === 0 ? sender.nextSeq - 1 : this.#ack;
      const summary = { session_id: sessionId, user_id: userId, ack, token: this.#token, ...this.#counts };
      console.log(JSON.stringify(summary));
      return;
    }
    const counts = Object.entries(this.#counts).filter(([, count]) => count > 0);
    const became = counts.length === 0 ? "nothing to send" : counts.map(([what, n]) => `${n} ${what}`).join(", ");
    console.log(`${style.bold(sessionId)}: ${became}; next seq ${sender.nextSeq}`);
    if (this.#token !== null) console.log(style.dim(`  min_token of a search that is to see them: ${this.#token}`));
  }
}

function frameLine({ seq, status, code, detail, reasons }: FrameReply): string {
  const why = [code, detail, ...(reasons ?? []).map((reason) => reason.code)].filter((part) => part !== undefined);
  return `  ${status === "refused" ? style.red(status) : style.yellow(status)}  ${seq ?? "?"}  ${why.join(", ")}`;
}
