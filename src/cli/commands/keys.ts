import { z } from "zod";
import { keyScopeSchema } from "../../lib/contract/principal.ts";
import { createNeonSql } from "../../lib/db/neon-sql.ts";
import type { Sql } from "../../lib/db/sql.ts";
import { createKey, createTenant, listKeys, revokeKey, rotateKey } from "../../lib/flows/manage-keys.ts";
import { openDatabase } from "../../stack/postgres/open-database.ts";
import { CommandError } from "../command-error.ts";
import { keysContext } from "../keys-context.ts";

export interface KeysArguments {
  readonly action: string;
  readonly tenant: string | undefined;
  readonly user: string | undefined;
  readonly scopes: string | undefined;
  readonly label: string | undefined;
  readonly days: string | undefined;
  readonly id: string | undefined;
  readonly overlapSeconds: string | undefined;
}

const TIMEOUT_MS = 30_000;
/** Keys of one listing. */
const LIST_MAX = 500;
const OVERLAP_SECONDS_DEFAULT = 24 * 60 * 60;
const DAY_MS = 24 * 60 * 60 * 1000;

/** `jeeves keys create | list | rotate | revoke`: works on the database of DATABASE_URL as its owner. */
export async function keys(args: KeysArguments): Promise<unknown> {
  const databaseUrl = process.env["DATABASE_URL"];
  if (databaseUrl === undefined)
    throw new CommandError("DATABASE_URL is not set: name the database that holds the keys");
  const database = await openDatabase(databaseUrl);
  if (!database.ok) throw new CommandError(database.error);
  const { connectionString, fetchEndpoint } = database.value;
  const sql = createNeonSql({
    connectionString,
    ...(fetchEndpoint === undefined ? {} : { fetchEndpoint }),
    timeoutMs: TIMEOUT_MS,
  });
  try {
    return await run(sql, args);
  } finally {
    await database.value.close();
  }
}

async function run(sql: Sql, args: KeysArguments): Promise<unknown> {
  const tenantId = required(args.tenant, "--tenant");
  switch (args.action) {
    case "create":
      return create(sql, tenantId, args);
    case "list":
      return unwrap(await listKeys({ sql }, { tenantId, beforeKeyId: "~", rowsMax: LIST_MAX }));
    case "rotate": {
      const overlapSeconds = Number(args.overlapSeconds ?? OVERLAP_SECONDS_DEFAULT);
      const keyId = required(args.id, "--id");
      return unwrap(await rotateKey(keysContext(sql), { tenantId, keyId, overlapSeconds }));
    }
    case "revoke":
      return unwrap(await revokeKey(keysContext(sql), tenantId, required(args.id, "--id")));
    default:
      throw new CommandError(`unknown action "${args.action}": create, list, rotate or revoke`);
  }
}

async function create(sql: Sql, tenantId: string, args: KeysArguments): Promise<unknown> {
  const scopes = z
    .array(keyScopeSchema)
    .min(1)
    .safeParse((args.scopes ?? "ingest,search").split(","));
  if (!scopes.success) throw new CommandError("--scopes takes a comma-separated list of ingest, search, admin");
  unwrap(await createTenant(sql, tenantId, tenantId));
  const request = {
    tenantId,
    userId: args.user ?? "",
    scopes: scopes.data,
    label: args.label ?? "",
    expiresAtMs: args.days === undefined ? null : Date.now() + Number(args.days) * DAY_MS,
  };
  return unwrap(await createKey(keysContext(sql), request));
}

function required(value: string | undefined, option: string): string {
  if (value === undefined) throw new CommandError(`${option} is missing`);
  return value;
}

function unwrap<T>(result: { ok: true; value: T } | { ok: false; error: { code: string } }): T {
  if (!result.ok) throw new CommandError(result.error.code);
  return result.value;
}
