import { fileURLToPath } from "node:url";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { withHelp } from "../../stack/help-topic.ts";
import { CommandError, usageError } from "../command-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { migrate } from "./migrate.ts";

/** `jeeves migrate`: `DATABASE_URL` says where; `SQL_ENDPOINT` names a running local `/sql` endpoint. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const databaseUrl = process.env["DATABASE_URL"] ?? "";
  if (databaseUrl === "")
    throw usageError(
      withHelp("DATABASE_URL is not set: postgresql://user:password@host/database, or pglite:<folder>", "missing-dsn"),
    );
  const isJson = args.flag("json");
  const outcome = await migrate({
    databaseUrl,
    fetchEndpoint: process.env["SQL_ENDPOINT"],
    migrationsFolder: fileURLToPath(new URL("../../../migrations", import.meta.url)),
    print: (line) => (isJson ? undefined : console.log(line)),
  });
  if (!outcome.ok) throw new CommandError(outcome.error.message);
  if (isJson) console.log(JSON.stringify(outcome.value));
  return EXIT.ok;
}
