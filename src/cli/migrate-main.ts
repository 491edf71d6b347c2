/** Entry of `npm run migrate`. `DATABASE_URL` says where; `SQL_ENDPOINT` names a running local `/sql` endpoint. */
import { fileURLToPath } from "node:url";
import { migrate } from "./commands/migrate.ts";

const databaseUrl = process.env["DATABASE_URL"];
if (databaseUrl === undefined || databaseUrl === "") {
  console.error("DATABASE_URL is not set: postgresql://user:password@host/database, or pglite:<folder>");
  process.exit(2);
}
const outcome = await migrate({
  databaseUrl,
  fetchEndpoint: process.env["SQL_ENDPOINT"],
  migrationsFolder: fileURLToPath(new URL("../../migrations", import.meta.url)),
  print: (line) => console.log(line),
});
if (!outcome.ok) {
  console.error(outcome.error.message);
  process.exitCode = 1;
}
