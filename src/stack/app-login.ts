import { randomBytes } from "node:crypto";
import type { Sql } from "../lib/db/sql.ts";
import { StackError } from "./stack-config.ts";
import type { OpenDatabase } from "./postgres/open-database.ts";

/** The role of the Workers, made by the first migration. */
const APP_ROLE = "jeeves_app";

/** Connection string of the Workers' role: the owner's, with the role and a password made for this run. PGlite asks for none. */
export async function appConnectionString(database: OpenDatabase, ownerSql: Sql): Promise<string> {
  const url = new URL(database.connectionString);
  url.username = APP_ROLE;
  if (database.kind === "pglite") return url.toString();
  const password = randomBytes(24).toString("hex");
  // DDL takes no parameters; the password is hexadecimal and needs no quoting beyond the quotes.
  const altered = await ownerSql.query({ text: `alter role ${APP_ROLE} password '${password}'`, params: [] });
  if (!altered.ok) throw new StackError(`the role ${APP_ROLE} could not be given a password: ${altered.error.code}`);
  url.password = password;
  return url.toString();
}
