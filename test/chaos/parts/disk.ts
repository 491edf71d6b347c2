import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where everything durable of the system lies. */
export interface Disk {
  readonly folder: string;
  /** Takes every byte that is left; undefined where this machine lets nobody mount a disk of a size of its own. */
  readonly fill: (() => Promise<void>) | undefined;
  free(): Promise<void>;
  close(): Promise<void>;
}

/** The cluster takes 60 MB, its log up to 64, objects and logs of sessions a few. It is memory. */
const SIZE_MB = 320;
const BLOCKS_BYTES = [4 * 1024 * 1024, 4096] as const;

/** A tmpfs of its own where that is allowed (root, outside of narrow containers), else an ordinary folder. */
export async function openDisk(): Promise<Disk> {
  const folder = await mkdtemp(join(tmpdir(), "jeeves-chaos-"));
  const isMounted = mount(folder);
  // The database server runs as another user.
  chmodSync(folder, 0o755);
  const unmount = (): void => void execFileSync("umount", ["--lazy", folder]);
  if (isMounted) process.once("exit", unmount);
  const ballast = join(folder, "ballast");
  return {
    folder,
    fill: isMounted ? () => fill(ballast) : undefined,
    free: () => rm(ballast, { force: true }),
    close: async () => {
      process.removeListener("exit", unmount);
      if (isMounted) unmount();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function mount(folder: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE_MB}m`, "jeeves-chaos", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function fill(path: string): Promise<void> {
  const file = await open(path, "w");
  try {
    for (const blockBytes of BLOCKS_BYTES) await writeUntilFull(file, Buffer.alloc(blockBytes));
  } finally {
    await file.close();
  }
}

async function writeUntilFull(file: Awaited<ReturnType<typeof open>>, block: Buffer): Promise<void> {
  for (let written = 0; written < SIZE_MB * 1024 * 1024; written += block.length) {
    try {
      await file.write(block);
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOSPC") return;
      throw error;
    }
  }
}
