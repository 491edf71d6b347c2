/** One process at a time: a file beside a data folder that names its holder. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { err, ok } from "../../lib/base/result.ts";
import type { Result } from "../../lib/base/result.ts";

/** Takes the lock and returns the function that gives it back. A lock whose process is gone is taken over. */
export async function takeFolderLock(
  lockPath: string,
): Promise<Result<() => Promise<void>, { readonly holderPid: number }>> {
  for (;;) {
    try {
      await writeFile(lockPath, String(process.pid), { flag: "wx" });
      return ok(() => rm(lockPath, { force: true }));
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
    const holderPid = Number(await readFile(lockPath, "utf8").catch(() => "0"));
    if (isAlive(holderPid)) return err({ holderPid });
    await rm(lockPath, { force: true });
  }
}

function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Somebody else's process is alive too.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}
