import { readFile } from "node:fs/promises";
import { MINUTE_MS } from "../../lib/base/durations.ts";
import {
  COMPARED_QUERIES_MAX,
  modelComparisonSchema,
  type ModelCoverage,
  modelCoverageListSchema,
  modelListSchema,
  modelSchema,
  promotionSchema,
  type RegisteredModel,
} from "../../lib/contract/model.ts";
import type { ApiClient } from "../api-client.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { CommandError, usageError } from "../command-error.ts";
import { requireConnection } from "../connection.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { comparisonText, coverageTable, modelTable, promotionText } from "../model/model-text.ts";

/** A change waits for indexing, embeds what came last, and counts all tenants. */
const CHANGE_TIMEOUT_MS = 5 * MINUTE_MS;
const PRICE_MAX = 1_000_000;

type Action = (args: CommandArguments, api: ApiClient, operand: string | undefined) => Promise<ExitCode>;

const ACTIONS: Readonly<Record<string, { readonly run: Action; readonly operand: "none" | "optional" | "model" }>> = {
  ls: { run: list, operand: "none" },
  register: { run: register, operand: "none" },
  status: { run: showStatus, operand: "optional" },
  compare: { run: compare, operand: "model" },
  promote: { run: promote, operand: "model" },
  rollback: { run: rollBack, operand: "none" },
  retire: { run: retire, operand: "model" },
};

/** `jeeves model ls | register | status [MODEL] | compare MODEL | promote MODEL | rollback | retire MODEL`. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [name = "", operand, ...more] = args.positionals;
  const action = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (action === undefined) throw usageError(`model takes one of ${Object.keys(ACTIONS).join(", ")}, not "${name}"`);
  if (more.length > 0 || (action.operand === "none" && operand !== undefined))
    throw usageError(`model ${name} takes ${action.operand === "none" ? "no name" : "one model"}`);
  if (action.operand === "model" && operand === undefined) throw usageError(`model ${name} takes a model`);
  const { api } = await requireConnection(args);
  return action.run(args, api, operand);
}

async function readModels(api: ApiClient): Promise<readonly RegisteredModel[]> {
  return (await api.json(modelListSchema, { path: "/v1/admin/models" })).models;
}

/** The one model that a number, or the beginning of a fingerprint or a name, means. */
async function findModel(api: ApiClient, operand: string): Promise<RegisteredModel> {
  const models = await readModels(api);
  const byNumber = models.find(({ model_id: id }) => String(id) === operand);
  if (byNumber !== undefined) return byNumber;
  const found = models.filter(({ fingerprint, model_name: name }) =>
    [fingerprint, name].some((text) => text.startsWith(operand)),
  );
  const [first, second] = found;
  if (first === undefined) throw new CommandError(`no model is meant by "${operand}": see jeeves model ls`);
  if (second !== undefined) throw new CommandError(`"${operand}" means several models: give the number`);
  return first;
}

async function list(args: CommandArguments, api: ApiClient): Promise<ExitCode> {
  const models = await readModels(api);
  console.log(args.flag("json") ? JSON.stringify({ models }) : modelTable(models));
  return EXIT.ok;
}

async function register(args: CommandArguments, api: ApiClient): Promise<ExitCode> {
  const server = args.flag("next") ? "next" : "current";
  const json = { activate: args.flag("activate"), server };
  const model = await api.json(modelSchema, {
    method: "POST",
    path: "/v1/admin/models",
    json,
    timeoutMs: CHANGE_TIMEOUT_MS,
  });
  console.log(args.flag("json") ? JSON.stringify(model) : modelTable([model]));
  return EXIT.ok;
}

async function showStatus(args: CommandArguments, api: ApiClient, operand: string | undefined): Promise<ExitCode> {
  const model = operand === undefined ? await newestShadow(api) : await findModel(api, operand);
  const price = args.number("price", { min: 0, max: PRICE_MAX });
  const tenants: ModelCoverage[] = [];
  for (let after: string | null = ""; after !== null;) {
    const query = new URLSearchParams({
      after,
      limit: "100",
      ...(price === undefined ? {} : { price: String(price) }),
    });
    const page: { tenants: ModelCoverage[]; next: string | null } = await api.json(modelCoverageListSchema, {
      path: `/v1/admin/models/${model.model_id}/coverage?${query.toString()}`,
      timeoutMs: CHANGE_TIMEOUT_MS,
    });
    tenants.push(...page.tenants);
    after = page.next;
  }
  if (args.flag("json")) console.log(JSON.stringify({ model, tenants }));
  else console.log(`${modelTable([model])}\n\n${coverageTable(tenants)}`);
  return EXIT.ok;
}

async function newestShadow(api: ApiClient): Promise<RegisteredModel> {
  const model = (await readModels(api)).findLast(({ state }) => state === "shadow");
  if (model === undefined)
    throw new CommandError("there is no model beside the active one: jeeves model register --next");
  return model;
}

async function compare(args: CommandArguments, api: ApiClient, operand = ""): Promise<ExitCode> {
  const path = args.text("queries");
  const model = await findModel(api, operand);
  const json = {
    tenant_id: args.required("tenant"),
    user_id: args.text("user") ?? "",
    k: args.integer("k", { min: 1, max: 50 }) ?? 10,
    draw: args.integer("draw", { min: 1, max: COMPARED_QUERIES_MAX }) ?? 50,
    ...(path === undefined ? {} : { queries: await readQueries(path) }),
  };
  const compared = await api.json(modelComparisonSchema, {
    method: "POST",
    path: `/v1/admin/models/${model.model_id}/compare`,
    json,
    timeoutMs: CHANGE_TIMEOUT_MS,
  });
  console.log(args.flag("json") ? JSON.stringify(compared) : comparisonText(compared));
  return EXIT.ok;
}

async function readQueries(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`${path} cannot be read: ${error.code ?? "unknown"}`);
  });
  const queries = text.split("\n").flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
  if (queries.length === 0 || queries.length > COMPARED_QUERIES_MAX)
    throw usageError(`--queries takes a file of 1 to ${COMPARED_QUERIES_MAX} lines, not ${queries.length}`);
  return queries;
}

async function promote(args: CommandArguments, api: ApiClient, operand = ""): Promise<ExitCode> {
  const { model_id: id } = await findModel(api, operand);
  return change(args, api, `/v1/admin/models/${id}/promote`);
}

function rollBack(args: CommandArguments, api: ApiClient): Promise<ExitCode> {
  return change(args, api, "/v1/admin/models/rollback");
}

async function change(args: CommandArguments, api: ApiClient, path: string): Promise<ExitCode> {
  const json = { force: args.flag("force") };
  const done = await api.json(promotionSchema, { method: "POST", path, json, timeoutMs: CHANGE_TIMEOUT_MS });
  console.log(args.flag("json") ? JSON.stringify(done) : promotionText(done));
  return EXIT.ok;
}

async function retire(args: CommandArguments, api: ApiClient, operand = ""): Promise<ExitCode> {
  const { model_id: id } = await findModel(api, operand);
  const reply = await api.json(modelListSchema, {
    method: "POST",
    path: `/v1/admin/models/${id}/retire`,
    timeoutMs: CHANGE_TIMEOUT_MS,
  });
  if (args.flag("json")) console.log(JSON.stringify(reply));
  else
    console.log(
      `${modelTable(reply.models)}\nIts vectors go with the next runs of reembed; now: jeeves job run reembed`,
    );
  return EXIT.ok;
}
