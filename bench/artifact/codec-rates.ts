import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { z } from "zod";
import type { PackRecord } from "../../src/lib/contract/pack-record.ts";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import type { ZstdDictionary } from "../../src/lib/zstd/zstd-dictionary.ts";
import { temporaryFolder } from "../support/store.ts";

const RUNS = ["encode-pack", "encode-json", "decode-pack", "decode-json"] as const;
export type CodecRun = (typeof RUNS)[number];
const loadedSchema = z.object({ memoryBytes: z.int() });
const countSchema = z.object({ count: z.int() });
/** Repeats of one timed request: JSON is so fast that fewer would measure the request. */
const TIMES: Readonly<Record<CodecRun, number>> = {
  "encode-pack": 1,
  "encode-json": 20,
  "decode-pack": 3,
  "decode-json": 20,
};

export interface CodecRates {
  readonly memoryBytes: number;
  readonly recordsPerSecond: Readonly<Record<CodecRun, number[]>>;
}

/** Both codecs on the same records in one workerd, in turn. */
export async function measureCodecs(
  records: readonly PackRecord[],
  dictionary: ZstdDictionary | null,
  rounds: number,
): Promise<CodecRates> {
  const folder = await temporaryFolder();
  const wrangler = join(PROJECT_FOLDER, "node_modules", "wrangler", "bin", "wrangler.js");
  const config = join(PROJECT_FOLDER, "bench", "artifact", "wrangler.toml");
  execFileSync(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", folder, "--config", config], {
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
    stdio: "ignore",
  });
  const names = readdirSync(folder);
  // The first module is the main one.
  const files = [".js", ".wasm"].flatMap((ending) => names.filter((name) => name.endsWith(ending)));
  const modules = files.map((name) => ({
    type: name.endsWith(".js") ? ("ESModule" as const) : ("CompiledWasm" as const),
    path: join(folder, name),
    contents: new Uint8Array(readFileSync(join(folder, name))),
  }));
  const options = { modules, modulesRoot: folder, compatibilityDate: "2026-11-01", cf: false as const };
  const miniflare = new Miniflare(convertV4MiniflareOptions(options));
  try {
    const { origin } = await miniflare.ready;
    const body = JSON.stringify({
      records,
      dictionary: dictionary === null ? null : Buffer.from(dictionary.bytes).toString("base64"),
    });
    const { memoryBytes } = loadedSchema.parse(await (await fetch(`${origin}/load`, { method: "POST", body })).json());
    const recordsPerSecond: Record<CodecRun, number[]> = {
      "encode-pack": [],
      "encode-json": [],
      "decode-pack": [],
      "decode-json": [],
    };
    for (let round = 0; round <= rounds; round++) {
      for (const run of RUNS) {
        const startedMs = performance.now();
        const { count } = countSchema.parse(await (await fetch(`${origin}/${run}?times=${TIMES[run]}`)).json());
        const seconds = (performance.now() - startedMs) / 1000;
        if (count !== TIMES[run] * records.length) throw new Error(`${run} took ${count} records`);
        // The first round lets the compiler work.
        if (round > 0) recordsPerSecond[run].push(count / seconds);
      }
    }
    return { memoryBytes, recordsPerSecond };
  } finally {
    await miniflare.dispose();
    rmSync(folder, { recursive: true, force: true });
  }
}
