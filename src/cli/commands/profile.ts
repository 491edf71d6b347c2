import { readFile } from "node:fs/promises";
import {
  type PutProfile,
  type PutProfileReply,
  profileHistorySchema,
  profileSchema,
  putProfileReplySchema,
  putProfileSchema,
} from "../../lib/contract/profile.ts";
import type { ApiClient } from "../api-client.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError, usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { style } from "../terminal/style.ts";

/** `jeeves profile get USER | put USER KEY=VALUE… | put USER --file FILE`. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [action, userId, ...facts] = args.positionals;
  if (userId === undefined || userId === "") throw usageError("profile takes get or put, and a user");
  if (action === "get" && facts.length === 0) return get(args, userId);
  if (action === "put") return put(args, { userId, body: await bodyOf(args, facts) });
  throw usageError("profile takes get USER, or put USER and facts as KEY=VALUE");
}

function pathOf(userId: string): string {
  return `/v1/profiles/${encodeURIComponent(userId)}`;
}

async function get(args: CommandArguments, userId: string): Promise<ExitCode> {
  const { api } = await requireConnection(args);
  if (args.flag("history")) return printHistory(api, userId, args.flag("json"));
  const asOf = args.text("as-of");
  const query = asOf === undefined ? "" : `?${new URLSearchParams({ as_of: asOf }).toString()}`;
  const profile = await api.json(profileSchema, { path: pathOf(userId) + query });
  if (args.flag("json")) console.log(JSON.stringify(profile));
  else for (const fact of profile.facts) console.log(lineOf(fact));
  return EXIT.ok;
}

async function printHistory(api: ApiClient, userId: string, isJson: boolean): Promise<ExitCode> {
  let after: string | null = null;
  do {
    const query = new URLSearchParams({ history: "1", ...(after === null ? {} : { after }) });
    const path = `${pathOf(userId)}?${query.toString()}`;
    const { versions, next } = await api.json(profileHistorySchema, { path });
    for (const fact of versions)
      console.log(isJson ? JSON.stringify(fact) : lineOf(fact.removed ? { ...fact, value: "(removed)" } : fact));
    after = next;
  } while (after !== null);
  return EXIT.ok;
}

interface ShownFact {
  readonly key: string;
  readonly value: string;
  readonly source: string;
  readonly observed_at: string;
  readonly version: number;
}

function lineOf({ key, value, source, observed_at: observedAt, version }: ShownFact): string {
  return `${style.bold(key)}: ${value}  ${style.dim(`version ${version}, ${source}, since ${observedAt}`)}`;
}

interface Change {
  readonly userId: string;
  readonly body: PutProfile;
}

async function put(args: CommandArguments, { userId, body }: Change): Promise<ExitCode> {
  const ifVersion = args.integer("if-version", { min: 0, max: Number.MAX_SAFE_INTEGER });
  const { api } = await requireConnection(args);
  const reply = await api.json(putProfileReplySchema, {
    method: "PUT",
    path: pathOf(userId),
    json: body,
    ...(ifVersion === undefined ? {} : { headers: { "if-match": `"${ifVersion}"` } }),
  });
  if (args.flag("json")) console.log(JSON.stringify(reply));
  else printReply(reply);
  return reply.refused.length === 0 ? EXIT.ok : EXIT.failed;
}

function printReply({ version, facts, refused, token }: PutProfileReply): void {
  for (const fact of facts)
    console.log(`${style.bold(fact.key)}: ${fact.change}  ${style.dim(`version ${fact.version}`)}`);
  for (const { key, reasons } of refused)
    console.log(`${style.bold(key)}: ${style.yellow(`refused (${reasons.map(({ code }) => code).join(", ")})`)}`);
  console.log(`profile version ${version}${token === undefined ? "" : `, token ${token}`}`);
}

/** The facts of the command line, or a file as the API takes it. */
async function bodyOf(args: CommandArguments, facts: readonly string[]): Promise<PutProfile> {
  const file = args.text("file");
  const removals = args.texts("remove").map((key) => ({ key, removed: true as const }));
  const isReplacing = args.flag("replace");
  if (file !== undefined) {
    if (facts.length + removals.length > 0) throw usageError("--file holds the facts: give none beside it");
    return checked({ ...objectOf(await readFile(file, "utf8"), file), ...(isReplacing ? { replace: true } : {}) });
  }
  if (facts.length + removals.length === 0 && !isReplacing) throw usageError("profile put takes facts as KEY=VALUE");
  const source = args.text("source");
  const observedAt = args.text("observed-at");
  const more = {
    ...(source === undefined ? {} : { source }),
    ...(observedAt === undefined ? {} : { observed_at: observedAt }),
  };
  const named = facts.map((fact) => ({
    key: fact.split("=", 1)[0],
    value: fact.slice(fact.indexOf("=") + 1),
    ...more,
  }));
  if (facts.some((fact) => !fact.includes("="))) throw usageError("a fact is KEY=VALUE");
  return checked({ facts: [...named, ...removals.map((fact) => ({ ...fact, ...more }))], replace: isReplacing });
}

function objectOf(text: string, file: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return Array.isArray(value) ? { facts: value } : value;
  } catch {
    // Said below: the parser's message quotes the file.
  }
  throw new CommandError(`${file} holds no JSON object or list`, EXIT.failed);
}

function checked(body: unknown): PutProfile {
  const parsed = putProfileSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw usageError(`/${(issue?.path ?? []).join("/")}: ${issue?.message ?? "not valid"}`);
}
