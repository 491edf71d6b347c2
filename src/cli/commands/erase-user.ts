import { createInterface } from "node:readline/promises";
import { z } from "zod";
import {
  type ErasureCertificate,
  erasureCertificateSchema,
  type ErasureProgress,
  erasureProgressSchema,
} from "../../lib/contract/user-erasure.ts";
import type { ApiClient } from "../api-client.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError, usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { style } from "../terminal/style.ts";

/** Requests of one erasure: each does some hundred objects. */
const REQUESTS_MAX = 100_000;

const replySchema = z.union([erasureProgressSchema, erasureCertificateSchema]);

/** `jeeves erase-user USER [--yes]`. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [userId, ...more] = args.positionals;
  if (userId === undefined || userId === "" || more.length > 0) throw usageError("erase-user takes one user");
  const { api, url } = await requireConnection(args);
  if (!args.flag("yes")) await confirm(userId, url);
  const certificate = await erase(api, userId);
  console.log(args.flag("json") ? JSON.stringify(certificate) : certificateText(userId, certificate));
  return EXIT.ok;
}

async function confirm(userId: string, url: string): Promise<void> {
  if (!process.stdin.isTTY) throw usageError("erase-user needs --yes where nobody can be asked");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(
    `This erases everything of ${userId} at ${url}, for good. Type the user's id: `,
  );
  terminal.close();
  if (answer !== userId) throw new CommandError("nothing was erased", EXIT.failed);
}

async function erase(api: ApiClient, userId: string): Promise<ErasureCertificate> {
  for (let count = 0; count < REQUESTS_MAX; count += 1) {
    const reply = await api.json(replySchema, { method: "DELETE", path: `/v1/users/${encodeURIComponent(userId)}` });
    if (!("done" in reply)) return reply;
    console.error(style.dim(`  ${progressText(reply)}`));
  }
  throw new CommandError("the erasure does not end: the same command goes on", EXIT.failed);
}

function progressText({ step, round, found }: ErasureProgress): string {
  const count = Object.values(found).reduce((sum, each) => sum + each, 0);
  return `${step}${round > 1 ? `, round ${round}` : ""}: ${count} found so far`;
}

function certificateText(userId: string, certificate: ErasureCertificate): string {
  const places = Object.entries(certificate.places).map(
    ([place, { before, after }]) => `  ${place.padEnd(20)} ${String(before).padStart(8)} → ${after}`,
  );
  const kept = certificate.kept.map(({ what, count, why }) => `  kept: ${count} ${what}, ${why}`);
  return [
    `${style.bold(userId)}  ${style.green("erased")}  ${style.dim(certificate.finished_at)}`,
    ...places,
    ...kept,
    style.dim(`  erasure ${certificate.erasure_id}, certificate sha256 ${certificate.sha256}`),
  ].join("\n");
}
