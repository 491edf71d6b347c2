/** pg_dump of a database in its custom format, encrypted before it touches a disk where a recipient is named. */
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { err, ok, type Result } from "../../src/lib/base/result.ts";
import { connectionVariables } from "./connection-variables.ts";

const runFile = promisify(execFile);

export interface DumpOptions {
  readonly databaseUrl: string;
  readonly folder: string;
  /** Where pg_dump and psql lie; undefined: on the PATH. */
  readonly binFolder: string | undefined;
  /** Public key of `age`; undefined: the dump is not encrypted. */
  readonly recipient: string | undefined;
  readonly nowMs: number;
}

export interface Dump {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly serverMajor: number;
  readonly dumpMajor: number;
}

/** Seconds that pg_dump waits for a table that somebody else holds. */
const LOCK_WAIT = "60s";

/** Writes `jeeves-<utc>.dump` (or `.dump.age`), readable by its owner alone. An error is one sentence, without the connection string. */
export async function dumpDatabase(options: DumpOptions): Promise<Result<Dump, string>> {
  const variables = connectionVariables(options.databaseUrl);
  if (variables === undefined) return err("DATABASE_URL is no connection string of PostgreSQL");
  const env = { ...process.env, ...variables };
  const hide = (text: string): string => hidden(text, options.databaseUrl, variables["PGPASSWORD"] ?? "");
  const versions = await checkVersions(options, env);
  if (!versions.ok) return err(hide(versions.error));
  await mkdir(options.folder, { recursive: true, mode: 0o700 });
  const utc = new Date(options.nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "");
  const path = join(options.folder, `jeeves-${utc}Z.dump${options.recipient === undefined ? "" : ".age"}`);
  const partial = `${path}.partial`;
  const written = await writeDump(options, env, partial);
  if (!written.ok) {
    await rm(partial, { force: true });
    return err(hide(written.error));
  }
  await rename(partial, path);
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return ok({ path, sizeBytes: (await stat(path)).size, sha256: hash.digest("hex"), ...versions.value });
}

function program(options: DumpOptions, name: string): string {
  return options.binFolder === undefined ? name : join(options.binFolder, name);
}

/** An older pg_dump cannot read a newer server, and a role under row-level security would see no row of anybody. */
async function checkVersions(
  options: DumpOptions,
  env: NodeJS.ProcessEnv,
): Promise<Result<Pick<Dump, "serverMajor" | "dumpMajor">, string>> {
  const query = `select current_setting('server_version_num')::int / 10000,
    (select rolsuper or rolbypassrls from pg_roles where rolname = current_user)`;
  try {
    const { stdout: version } = await runFile(program(options, "pg_dump"), ["--version"]);
    const dumpMajor = Number(/ (\d+)[.\d]*/.exec(version)?.[1]);
    const { stdout: facts } = await runFile(program(options, "psql"), ["-XAtqw", "-c", query], { env });
    const [serverMajor = 0, bypasses] = facts
      .trim()
      .split("|")
      .map((cell, index) => (index === 0 ? Number(cell) : cell === "t"));
    if (dumpMajor < Number(serverMajor))
      return err(
        `pg_dump is version ${dumpMajor}, the server ${serverMajor}: install postgresql-client-${serverMajor}`,
      );
    if (bypasses !== true)
      return err("the role of DATABASE_URL is under row-level security and would dump no rows: use one with BYPASSRLS");
    return ok({ serverMajor: Number(serverMajor), dumpMajor });
  } catch (thrown) {
    return err(thrown instanceof Error ? thrown.message : "psql or pg_dump failed");
  }
}

async function writeDump(options: DumpOptions, env: NodeJS.ProcessEnv, path: string): Promise<Result<void, string>> {
  const args = ["--format=custom", "--no-password", `--lock-wait-timeout=${LOCK_WAIT}`];
  const dump = spawn(program(options, "pg_dump"), args, { env, stdio: ["ignore", "pipe", "pipe"] });
  const file = createWriteStream(path, { mode: 0o600 });
  const dumped = ended(dump);
  if (options.recipient === undefined) {
    await pipeline(dump.stdout, file);
    return dumped;
  }
  const age = spawn("age", ["--encrypt", "--recipient", options.recipient], { stdio: ["pipe", "pipe", "pipe"] });
  const encrypted = ended(age);
  const flows = await Promise.allSettled([pipeline(dump.stdout, age.stdin), pipeline(age.stdout, file)]);
  const results = [await dumped, await encrypted];
  await chmod(path, 0o600);
  const failed = results.find((result) => !result.ok);
  if (failed !== undefined) return failed;
  return flows.every(({ status }) => status === "fulfilled") ? ok(undefined) : err("the dump could not be written");
}

/** How a program ended; what it said on stderr where it failed. */
function ended(child: ReturnType<typeof spawn>): Promise<Result<void, string>> {
  return new Promise((resolve) => {
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-2_000)));
    child.on("error", (error) => resolve(err(error.message)));
    child.on("close", (code) => resolve(code === 0 ? ok(undefined) : err(said.trim() || `it ended with code ${code}`)));
  });
}

function hidden(text: string, ...secrets: readonly string[]): string {
  return secrets.filter((secret) => secret !== "").reduce((shown, secret) => shown.replaceAll(secret, "…"), text);
}
