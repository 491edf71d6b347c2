import { z } from "zod";
import { DAY_MS } from "../../lib/base/durations.ts";
import { keyScopeSchema } from "../../lib/contract/principal.ts";
import { createNeonSql } from "../../lib/db/neon-sql.ts";
import type { Sql } from "../../lib/db/sql.ts";
import { createKey, createTenant, listKeys, revokeKey, rotateKey } from "../../lib/flows/keys/manage-keys.ts";
import { openDatabase } from "../../stack/postgres/open-database.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { withHelp } from "../../stack/help-topic.ts";
import { CommandError, usageError } from "../command-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { keysContext } from "../keys-context.ts";

const TIMEOUT_MS = 30_000;
/** Keys of one listing. */
const LIST_MAX = 500;
const ACTIONS: readonly string[] = ["create", "list", "rotate", "revoke"];
const OVERLAP_SECONDS_MAX = 365 * 24 * 60 * 60;
const OVERLAP_SECONDS_DEFAULT = 24 * 60 * 60;

/** `jeeves keys create | list | rotate | revoke`: works on the database of DATABASE_URL as its owner. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [action = "", ...more] = args.positionals;
  if (!ACTIONS.includes(action) || more.length > 0) throw usageError(`keys takes one of ${ACTIONS.join(", ")}`);
  const tenantId = args.required("tenant");
  const databaseUrl = process.env["DATABASE_URL"];
  if (databaseUrl === undefined)
    throw usageError(withHelp("DATABASE_URL is not set: name the database that holds the keys", "missing-dsn"));
  const database = await openDatabase(databaseUrl);
  if (!database.ok) throw new CommandError(database.error);
  const { connectionString, fetchEndpoint } = database.value;
  const sql = createNeonSql({
    connectionString,
    ...(fetchEndpoint === undefined ? {} : { fetchEndpoint }),
    timeoutMs: TIMEOUT_MS,
  });
  try {
    console.log(JSON.stringify(await perform(sql, action, tenantId, args), null, 2));
    return EXIT.ok;
  } finally {
    await database.value.close();
  }
}

async function perform(sql: Sql, action: string, tenantId: string, args: CommandArguments): Promise<unknown> {
  switch (action) {
    case "create":
      return create(sql, tenantId, args);
    case "list":
      return unwrap(await listKeys({ sql }, { tenantId, beforeKeyId: "~", rowsMax: LIST_MAX }));
    case "rotate": {
      const overlapSeconds = args.integer("overlap-seconds", { min: 0, max: OVERLAP_SECONDS_MAX });
      const keyId = args.required("id");
      const rotation = { tenantId, keyId, overlapSeconds: overlapSeconds ?? OVERLAP_SECONDS_DEFAULT };
      return unwrap(await rotateKey(keysContext(sql), rotation));
    }
    default:
      return unwrap(await revokeKey(keysContext(sql), tenantId, args.required("id")));
  }
}

async function create(sql: Sql, tenantId: string, args: CommandArguments): Promise<unknown> {
  const scopes = z
    .array(keyScopeSchema)
    .min(1)
    .safeParse((args.text("scopes") ?? "ingest,search").split(","));
  if (!scopes.success) throw usageError("--scopes takes a comma-separated list of ingest, search, admin, operator");
  const days = args.number("days", { min: 0.01, max: 36_500 });
  unwrap(await createTenant(sql, tenantId, tenantId));
  const request = {
    tenantId,
    userId: args.text("user") ?? "",
    scopes: scopes.data,
    label: args.text("label") ?? "",
    expiresAtMs: days === undefined ? null : Date.now() + days * DAY_MS,
  };
  return unwrap(await createKey(keysContext(sql), request));
}

function unwrap<T>(result: { ok: true; value: T } | { ok: false; error: { code: string } }): T {
  if (!result.ok) throw new CommandError(result.error.code);
  return result.value;
}
