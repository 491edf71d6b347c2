import { z } from "zod";
import {
  type Inspected,
  inspectedSchema,
  purgeReplySchema,
  type Quarantined,
  quarantinedSchema,
  releaseReplySchema,
} from "../../lib/contract/quarantine.ts";
import type { ApiClient } from "../api-client.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { excerptLines } from "../demo/print-hits.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { style } from "../terminal/style.ts";

const ACTIONS = ["list", "show", "release", "purge"] as const;
const STATES = ["held", "releasing", "released", "purged"] as const;
const pageSchema = z.looseObject({ quarantined: z.array(quarantinedSchema) });

/** `jeeves quarantine list | show ID | release ID… | purge ID…`. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [name = "list", ...ids] = args.positionals;
  const action = ACTIONS.find((candidate) => candidate === name);
  if (action === undefined) throw usageError(`quarantine takes one of ${ACTIONS.join(", ")}, not "${name}"`);
  if (action !== "list" && ids.length === 0) throw usageError(`quarantine ${action} takes an id`);
  const state = args.choice("state", STATES);
  const limit = args.integer("limit", { min: 1, max: 500 }) ?? 50;
  const { api } = await requireConnection(args);
  const print = printer(args.flag("json"));
  if (action === "list") {
    const before = args.text("before");
    const query = new URLSearchParams({
      limit: String(limit),
      ...(state ? { state } : {}),
      ...(before ? { before } : {}),
    });
    const { quarantined } = await api.json(pageSchema, { path: `/v1/quarantine?${query.toString()}` });
    for (const item of quarantined) print(item, listLine(item));
    return EXIT.ok;
  }
  for (const id of ids) {
    if (action === "show") {
      const item = await api.json(inspectedSchema, { path: pathOf(id) });
      print(item, showText(item));
    } else await decide(api, { action, id, note: args.text("note") ?? "", print });
  }
  return EXIT.ok;
}

type Print = (value: unknown, text: string) => void;

/** One JSON line per input, or its text. */
function printer(isJson: boolean): Print {
  return (value, text) => console.log(isJson ? JSON.stringify(value) : text);
}

function pathOf(id: string): string {
  return `/v1/quarantine/${encodeURIComponent(id)}`;
}

async function decide(
  api: ApiClient,
  {
    action,
    id,
    note,
    print,
  }: { readonly action: "release" | "purge"; readonly id: string; readonly note: string; readonly print: Print },
): Promise<void> {
  if (action === "release") {
    const reply = await api.json(releaseReplySchema, { method: "POST", path: `${pathOf(id)}/release`, json: { note } });
    print(reply, `${id}: ${style.green("released")}, its receipt is ${reply.receipt_id}`);
    return;
  }
  const query = new URLSearchParams({ note });
  const reply = await api.json(purgeReplySchema, { method: "DELETE", path: `${pathOf(id)}?${query.toString()}` });
  print(reply, `${id}: ${style.yellow("text removed")}`);
}

function listLine({
  quarantine_id: id,
  document_id: documentId,
  source,
  reasons,
  size_bytes: size,
  state,
}: Quarantined): string {
  const why = reasons.map(({ code }) => code).join(", ");
  return `${style.bold(id)}  ${state}  ${documentId}  ${style.dim(`${source}, ${size} bytes`)}  ${style.yellow(why)}`;
}

function showText(item: Inspected): string {
  const reasons = item.reasons.map(
    ({ code, measure, threshold }) =>
      `  ${style.yellow(code)}${measure === undefined ? "" : ` ${measure}`}${threshold === undefined ? "" : ` (threshold ${threshold})`}`,
  );
  const preview = item.preview === null ? ["the text was removed"] : excerptLines(item.preview);
  const decision = item.decided_at === null ? [] : [`  ${item.state} ${item.decided_at} ${item.decision_note}`];
  return [listLine(item), ...reasons, ...decision, ...preview.map((line) => style.dim(`  │ ${line}`))].join("\n");
}
