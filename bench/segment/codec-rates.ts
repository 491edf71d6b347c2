import { rm } from "node:fs/promises";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { z } from "zod";
import { PROJECT_FOLDER } from "../../src/cli/project-folder.ts";
import { bundleWorker } from "../../src/stack/bundle-worker.ts";
import { bundledModules } from "../../src/stack/worker-runtime.ts";
import { temporaryFolder } from "../support/store.ts";

export const CODEC_RUNS = ["encode-segment", "encode-json", "decode-segment", "decode-json"] as const;
export type CodecRun = (typeof CODEC_RUNS)[number];

/** Repeats of one timed request: long against the request itself. */
const TIMES = 5;
const loadedSchema = z.object({ events: z.int(), segmentBytes: z.int(), jsonBytes: z.int() });
const ranSchema = z.object({ events: z.int() });

export interface CodecRates {
  readonly sizes: z.infer<typeof loadedSchema>;
  /** Events a second of each round, the runs in turn. */
  readonly eventsPerSecond: Readonly<Record<CodecRun, readonly number[]>>;
}

/** Both codecs on the same frames (JSON lines) in one workerd. */
export async function measureCodecs(lines: string, rounds: number): Promise<CodecRates> {
  const buildFolder = await temporaryFolder();
  await bundleWorker(PROJECT_FOLDER, buildFolder, "bench/segment/wrangler.toml");
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: bundledModules(buildFolder),
      modulesRoot: buildFolder,
      rootPath: buildFolder,
      compatibilityDate: "2026-11-01",
      cf: false,
    }),
  );
  try {
    const { origin } = await miniflare.ready;
    const loaded = await fetch(`${origin}/load`, { method: "POST", body: lines });
    const sizes = loadedSchema.parse(await loaded.json());
    const run = async (name: CodecRun, times: number): Promise<number> => {
      const response = await fetch(`${origin}/${name}?times=${times}`);
      const { events } = ranSchema.parse(await response.json());
      if (events !== times * sizes.events) throw new Error(`${name} took ${events} of ${times * sizes.events} events`);
      return events;
    };
    const rates: Record<CodecRun, number[]> = {
      "encode-segment": [],
      "encode-json": [],
      "decode-segment": [],
      "decode-json": [],
    };
    for (let round = 0; round <= rounds; round += 1) {
      for (const name of CODEC_RUNS) {
        await run(name, 0);
        const startedAtMs = performance.now();
        const events = await run(name, TIMES);
        const seconds = (performance.now() - startedAtMs) / 1000;
        // The first round lets the compiler work.
        if (round > 0) rates[name].push(events / seconds);
      }
    }
    return { sizes, eventsPerSecond: rates };
  } finally {
    await miniflare.dispose();
    await rm(buildFolder, { recursive: true, force: true });
  }
}
