import { randomBytes } from "node:crypto";
import type { Sql } from "../lib/db/sql.ts";
import { StackError } from "./stack-config.ts";
import type { OpenDatabase } from "./postgres/open-database.ts";

/** The role of the Workers, made by the first migration. */
const APP_ROLE = "jeeves_app";

const LOOPBACK_HOSTS: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Connection string of the Workers' role. PGlite asks for no password; a server on this machine gets one made for this run; on any
 * other server the role's password is an operator's, and has to be given.
 */
export async function appConnectionString(database: OpenDatabase, ownerSql: Sql, given?: string): Promise<string> {
  if (given !== undefined) return given;
  const url = new URL(database.connectionString);
  url.username = APP_ROLE;
  if (database.kind === "pglite") return url.toString();
  if (!LOOPBACK_HOSTS.has(url.hostname)) {
    throw new StackError(
      `APP_DATABASE_URL is not set: it takes the connection string of the role ${APP_ROLE} on ${url.hostname}`,
    );
  }
  const password = randomBytes(24).toString("hex");
  // DDL takes no parameters; the password is hexadecimal and needs no quoting beyond the quotes.
  const altered = await ownerSql.query({ text: `alter role ${APP_ROLE} password '${password}'`, params: [] });
  if (!altered.ok) throw new StackError(`the role ${APP_ROLE} could not be given a password: ${altered.error.code}`);
  url.password = password;
  return url.toString();
}
