import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A download that is not complete: `<sha256>.<process id>.part`, with the ETag of its bytes beside it. */
export type PartialFile = { readonly path: string; readonly etagPath: string };

/** Whether a process lives on this machine. One's own id counts as dead: an earlier process of a container had the same one. */
function isOtherProcessAlive(id: number): boolean {
  if (id === process.pid) return false;
  try {
    process.kill(id, 0);
    return true;
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "EPERM";
  }
}

/**
 * The partial file of this process for the bytes with that hash. One that a dead process left is taken over by renaming it, which
 * only one process can do; so no two append to one file, and no lock outlives a kill.
 */
export async function claimPartialFile(folder: string, sha256: string): Promise<PartialFile> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${sha256}.${process.pid}.part`);
  const mine = { path, etagPath: `${path}.etag` };
  for (const name of await readdir(folder)) {
    const id = new RegExp(`^${sha256}\\.(\\d+)\\.part$`, "u").exec(name)?.[1];
    if (id === undefined || isOtherProcessAlive(Number(id))) continue;
    const left = join(folder, name);
    if (left === path) break;
    await rename(`${left}.etag`, mine.etagPath).catch(() => undefined);
    const taken = await rename(left, path).then(
      () => true,
      () => false,
    );
    if (taken) break;
  }
  return mine;
}

/** Bytes there are; 0 where there is no file. */
export async function partialSizeBytes({ path }: PartialFile): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

export async function discardPartialFile({ path, etagPath }: PartialFile): Promise<void> {
  await Promise.all([rm(path, { force: true }), rm(etagPath, { force: true })]);
}

/** The ETag that the bytes came with, or undefined. */
export async function readPartialEtag({ etagPath }: PartialFile): Promise<string | undefined> {
  return readFile(etagPath, "utf8").catch(() => undefined);
}

/** Keeps a strong ETag; a weak one does not vouch for bytes, and none leaves none. */
export async function writePartialEtag({ etagPath }: PartialFile, etag: string | null): Promise<void> {
  if (etag === null || !etag.startsWith('"')) await rm(etagPath, { force: true });
  else await writeFile(etagPath, etag);
}
