import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { err, ok, type Result } from "../../src/lib/base/result.ts";
import { HOME_FOLDER } from "./home-folder.ts";

const run = promisify(execFile);

/** Five gigabytes of wheels. */
const INSTALL_TIMEOUT_MS = 30 * MINUTE_MS;

/** An opponent's Python packages: `name` is their folder, `requirementsPath` a list of exact versions that needs nothing beside it. */
export interface PythonPackages {
  readonly name: string;
  readonly requirementsPath: string;
}

/** Path of a Python with the opponent's pinned packages, installed on first use. An error is one sentence that says why there is none. */
export async function pythonEnvironment({ name, requirementsPath }: PythonPackages): Promise<Result<string, string>> {
  if (process.platform !== "linux" || process.arch !== "x64") return err("its packages are pinned for linux-x64");
  const folder = join(HOME_FOLDER, name);
  const python = join(folder, "venv", "bin", "python");
  const stamp = join(folder, "installed");
  const wanted = createHash("sha256")
    .update(await readFile(requirementsPath))
    .digest("hex");
  if ((await readFile(stamp, "utf8").catch(() => "")) === wanted) return ok(python);
  try {
    const check = "import sys, venv, ensurepip; sys.exit(0 if sys.version_info >= (3, 11) else 1)";
    await run("python3", ["-c", check]);
  } catch {
    return err("it needs python3 from 3.11 with venv and pip");
  }
  console.log(`installing the packages of ${name} (5 GB, some minutes, only once)`);
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await run("python3", ["-m", "venv", join(folder, "venv")]);
    const install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-cache-dir", "-r", requirementsPath];
    await run(python, install, { timeout: INSTALL_TIMEOUT_MS });
    await writeFile(stamp, wanted);
    return ok(python);
  } catch {
    return err(`pip could not install its packages (${requirementsPath})`);
  }
}
