import { z } from "zod";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { plural } from "../report/number-text.ts";
import { openSession, type SessionTarget } from "../session/open-session.ts";
import {
  eraseSession,
  followSession,
  readSession,
  sessionPath,
  sessionText,
  type NamedSession,
} from "../session/show-session.ts";
import { style } from "../terminal/style.ts";

const ACTIONS = ["open", "send", "status", "seal", "erase"] as const;

/** `jeeves session open [ID] | send [ID] | status ID | seal ID | erase ID`. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [name = "", sessionId, ...more] = args.positionals;
  const action = ACTIONS.find((candidate) => candidate === name);
  if (action === undefined) throw usageError(`session takes one of ${ACTIONS.join(", ")}, not "${name}"`);
  if (more.length > 0) throw usageError(`session ${action} takes one id; ids with blanks need quotes`);
  const userId = args.text("user");
  const target: SessionTarget = { sessionId, userId, source: args.text("source"), wait: args.flag("wait") };
  if (action === "open") return open(args, target);
  if (action === "send") return (await import("../session/send-lines.ts")).sendLines(args, target);
  if (sessionId === undefined) throw usageError(`session ${action} takes the id of a session`);
  const session = { sessionId, userId };
  if (action === "status") return status(args, session);
  return action === "seal" ? seal(args, session) : erase(args, session);
}

async function open(args: CommandArguments, target: SessionTarget): Promise<ExitCode> {
  const { api } = await requireConnection(args);
  const opened = await openSession(api, target, { note: (line) => console.error(`  ${style.dim(line)}`) });
  if (args.flag("json")) console.log(JSON.stringify(opened));
  else
    console.log(`${style.bold(opened.session_id)}  ${style.green("open")}  next seq ${opened.next_seq}
  write token  ${opened.write_token}
  ${style.dim(`valid until ${opened.token_expires_at}, for the events of this session only`)}`);
  return EXIT.ok;
}

async function status(args: CommandArguments, session: NamedSession): Promise<ExitCode> {
  const { api } = await requireConnection(args);
  const print = (reply: Parameters<typeof sessionText>[0]): void =>
    console.log(args.flag("json") ? JSON.stringify(reply) : sessionText(reply));
  if (args.flag("watch"))
    await followSession(api, session, { onChange: print, isEnough: ({ seqs }) => seqs.embedded >= seqs.durable });
  else print(await readSession(api, session));
  return EXIT.ok;
}

async function seal(args: CommandArguments, session: NamedSession): Promise<ExitCode> {
  const { api } = await requireConnection(args);
  const response = await api.response({ method: "POST", path: sessionPath(session, "/seal") });
  const reply = z.unknown().parse(await response.json().catch(() => ({})));
  if (args.flag("json")) console.log(JSON.stringify(reply));
  else console.log(`${style.bold(session.sessionId)}: its segment is being written; "jeeves session status" shows it`);
  return EXIT.ok;
}

async function erase(args: CommandArguments, session: NamedSession): Promise<ExitCode> {
  const { api } = await requireConnection(args);
  const erased = await eraseSession(api, session);
  if (args.flag("json")) console.log(JSON.stringify(erased));
  else
    console.log(
      `${style.bold(session.sessionId)}: erased ${plural(erased.event_count, "event")}, ${plural(erased.document_count, "stored document")}, ` +
        `${plural(erased.segment_count, "segment")}, ${plural(erased.held_text_count, "quarantined text")}`,
    );
  return EXIT.ok;
}
