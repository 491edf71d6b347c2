import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "../../src/lib/base/result.ts";
import { temporaryFolder } from "../support/store.ts";

/** Bytes of the dictionary at most: what the zstd command takes by itself. */
const DICTIONARY_BYTES_MAX = 112_640;

export interface TrainedDictionary {
  readonly dictionary: Uint8Array;
  readonly tookMs: number;
}

/** Trains a dictionary by the `zstd` command (Debian package zstd), which needs one file a sample. An error says why there is none. */
export async function trainDictionary(samples: readonly Uint8Array[]): Promise<Result<TrainedDictionary, string>> {
  if (spawnSync("zstd", ["--version"]).status !== 0)
    return err("dictionary training: there is no zstd command (apt-get install zstd)");
  const folder = await temporaryFolder();
  try {
    const sampleFolder = join(folder, "samples");
    mkdirSync(sampleFolder);
    samples.forEach((sample, index) => writeFileSync(join(sampleFolder, String(index)), sample));
    const target = join(folder, "dictionary");
    const startedMs = performance.now();
    const trained = spawnSync("zstd", [
      "-q",
      "--train",
      "-r",
      sampleFolder,
      `--maxdict=${DICTIONARY_BYTES_MAX}`,
      "-o",
      target,
    ]);
    const tookMs = performance.now() - startedMs;
    if (trained.status !== 0) return err(`dictionary training: ${trained.stderr.toString().trim().slice(-200)}`);
    return ok({ dictionary: new Uint8Array(readFileSync(target)), tookMs });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
