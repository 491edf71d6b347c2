import { readFile, rm } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { processTree } from "../support/process-usage.ts";
import { watchMemory, type MemoryChange } from "../support/resident-memory.ts";
import { temporaryFolder } from "../support/store.ts";

const PARTS = 8;
const SAMPLE_EVERY_MS = 10;
const SETTLE_MS = 2_000;

/** Memory of workerd while a Worker uploads 64 MB in parts of 8 MiB, and reads, hashes and encodes nothing. */
export async function uploadBare(): Promise<MemoryChange> {
  const folder = await temporaryFolder();
  const contents = stripTypeScriptTypes(await readFile(new URL("bare-worker.ts", import.meta.url), "utf8"));
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: [{ type: "ESModule", path: "bare-worker.js", contents }],
      compatibilityDate: "2026-11-01",
      r2Buckets: ["BUCKET"],
      resourcePersistencePath: folder,
      cf: false,
    }),
  );
  try {
    const { origin } = await miniflare.ready;
    await fetch(`${origin}/?parts=0`);
    await sleep(SETTLE_MS);
    const workerd = processTree(process.pid).filter(({ name }) => name.startsWith("workerd"));
    const memory = watchMemory({ workerd: workerd.map(({ pid }) => pid) }, SAMPLE_EVERY_MS);
    const response = await fetch(`${origin}/?parts=${PARTS}`);
    if (!response.ok) throw new Error(`the bare Worker answered ${response.status}`);
    return memory.end().workerd;
  } finally {
    await miniflare.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}
