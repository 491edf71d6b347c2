/**
 * `DATABASE_URL=… make backup-pgdump`: a dump of the database into OUT (default: `.jeeves/pgdump`). AGE_RECIPIENT encrypts it; PG_BIN names the folder of another
 * pg_dump. With `--encrypted` it refuses to write one in the clear.
 */
import { join } from "node:path";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { dumpDatabase } from "./dump-database.ts";

const {
  DATABASE_URL: databaseUrl = "",
  AGE_RECIPIENT: recipient = "",
  PG_BIN: binFolder = "",
  OUT: out = "",
} = process.env;

if (process.argv.includes("--encrypted") && recipient === "")
  fail("AGE_RECIPIENT is missing: a dump holds personal data and leaves this machine encrypted");
const dumped = await dumpDatabase({
  databaseUrl,
  folder: out === "" ? join(PROJECT_FOLDER, ".jeeves", "pgdump") : out,
  binFolder: binFolder === "" ? undefined : binFolder,
  recipient: recipient === "" ? undefined : recipient,
  nowMs: Date.now(),
});
if (!dumped.ok) fail(dumped.error);
const { path, sizeBytes, sha256, serverMajor, dumpMajor } = dumped.value;
console.log(`${path}  ${sizeBytes} bytes  sha256 ${sha256}  PostgreSQL ${serverMajor}, pg_dump ${dumpMajor}`);

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}
