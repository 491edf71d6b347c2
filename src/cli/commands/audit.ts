import { type Audit, auditDiffSchema, auditListSchema, auditSchema } from "../../lib/contract/audit.ts";
import type { ApiClient } from "../api-client.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError, usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { style } from "../terminal/style.ts";
import { tableLines } from "../terminal/table.ts";

const ACTIONS = ["ls", "show", "diff"] as const;
const DAYS_MAX = 500;

/** `jeeves audit ls | show [DAY] | diff [DAY]`: what the nightly audits counted, by an operator's key. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [name = "", day, ...more] = args.positionals;
  const action = ACTIONS.find((candidate) => candidate === name);
  if (action === undefined) throw usageError(`audit takes one of ${ACTIONS.join(", ")}, not "${name}"`);
  if (more.length > 0 || (action === "ls" && day !== undefined))
    throw usageError(`audit ${action} takes one day at most`);
  const { api } = await requireConnection(args);
  if (action === "ls") return list(args, api);
  const asked = day ?? (await latestDay(api));
  return action === "show" ? show(args, api, asked) : diff(args, api, asked);
}

const dayPath = (day: string): string => `/v1/admin/audits/${encodeURIComponent(day)}`;

async function list(args: CommandArguments, api: ApiClient): Promise<ExitCode> {
  const limit = args.integer("limit", { min: 1, max: DAYS_MAX }) ?? 30;
  const reply = await api.json(auditListSchema, { path: `/v1/admin/audits?limit=${limit}` });
  if (args.flag("json")) console.log(JSON.stringify(reply));
  else if (reply.audits.length === 0) console.log('no audit yet; "jeeves job run audit" makes one');
  else
    console.log(
      reply.audits.map(({ day, size_bytes: bytes }) => `${day}  ${bytes.toLocaleString("en-US")} bytes`).join("\n"),
    );
  return EXIT.ok;
}

async function latestDay(api: ApiClient): Promise<string> {
  const { audits } = await api.json(auditListSchema, { path: "/v1/admin/audits?limit=1" });
  const [latest] = audits;
  if (latest === undefined)
    throw new CommandError('there is no audit yet; "jeeves job run audit" makes one', EXIT.failed);
  return latest.day;
}

async function show(args: CommandArguments, api: ApiClient, day: string): Promise<ExitCode> {
  const audit = await api.json(auditSchema, { path: dayPath(day) });
  console.log(args.flag("json") ? JSON.stringify(audit) : auditText(audit));
  return audit.findings.length === 0 && audit.unaudited.length === 0 ? EXIT.ok : EXIT.failed;
}

function auditText(audit: Audit): string {
  const totals = Object.entries(audit.totals).sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = [
    `${style.bold(audit.day)}  ${audit.tenant_count} tenants  ${style.dim(`${audit.started_at} to ${audit.finished_at}`)}`,
    ...tableLines(totals.map(([name, count]) => [name, count.toLocaleString("en-US")])).map((line) => `  ${line}`),
    ...audit.models.map(({ fingerprint, state }) => `  ${state} model ${fingerprint}`),
  ];
  const findings = audit.findings.map(({ check, count, subjects }) => `  ${check}: ${count} (${subjects.join(", ")})`);
  const unaudited = audit.unaudited.map(({ tenant_id: tenantId, code }) => `  ${tenantId} could not be asked: ${code}`);
  if (findings.length + unaudited.length === 0) return [...lines, style.green("  nothing is wrong")].join("\n");
  return [...lines, ...[...findings, ...unaudited].map((line) => style.red(line))].join("\n");
}

/** Exit code 1 where something is alarming, so that a script can ask. */
async function diff(args: CommandArguments, api: ApiClient, day: string): Promise<ExitCode> {
  const path = `${dayPath(day)}/diff`;
  const difference = await api.json(auditDiffSchema, { path, headers: { accept: "application/json" } });
  if (args.flag("json")) console.log(JSON.stringify(difference));
  else console.log((await (await api.response({ path, headers: { accept: "text/plain" } })).text()).trimEnd());
  return difference.alarming_count === 0 ? EXIT.ok : EXIT.failed;
}
