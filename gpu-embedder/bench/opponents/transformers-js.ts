import { execFile } from "node:child_process";
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { z } from "zod";
import { HOME_FOLDER } from "../../../bench/support/home-folder.ts";
import { startLineProcess } from "../../../bench/support/line-process.ts";
import { err, ok, type Result } from "../../src/base/result.ts";
import { askForRun } from "./line-side.ts";
import type { Setting, Side } from "./side.ts";

const PACKAGE = "@huggingface/transformers";
const VERSION = "4.3.1";
const BATCH_SIZES = [1, 4, 8, 16, 32] as const;
const INSTALL_TIMEOUT_MS = 10 * 60_000;
/** Files that the library reads beside the graph. */
const MODEL_FILES = ["config.json", "tokenizer.json", "tokenizer_config.json"] as const;
const MODEL_NAME = "all-MiniLM-L6-v2";
const SIDE = fileURLToPath(new URL("transformers_js_side.mjs", import.meta.url));

const readySchema = z.object({ versions: z.string() });

/** npm's transformers.js in process on our int8 graph. An error is one sentence that says why it cannot be had. */
export async function transformersJsSide(modelFolder: string, graphPath: string): Promise<Result<Side, string>> {
  const installed = await installPackage();
  if (!installed.ok) return installed;
  const models = join(installed.value, "models");
  await layOutModel(join(models, MODEL_NAME), modelFolder, graphPath);
  // Its packages are found from the folder that it runs in.
  const shell = 'cd "$0" && exec "$@"';
  const command = [process.execPath, SIDE, `${models}/`, MODEL_NAME];
  const side = await startLineProcess("sh", ["-c", shell, installed.value, ...command]);
  const setting = (batch: number, sorted: boolean): Setting => ({
    label: `batch ${batch}${sorted ? ", sorted by its caller" : ""}`,
    run: (set) => askForRun(side, set, { batch, sorted }),
  });
  return ok({
    name: `transformers.js ${readySchema.parse(side.ready).versions} on our int8 graph`,
    pids: [side.pid],
    settings: BATCH_SIZES.map((batch) => setting(batch, false)),
    otherSettings: BATCH_SIZES.slice(2).map((batch) => setting(batch, true)),
    stop: () => side.stop(),
  });
}

/** Its own folder of packages, without the CUDA libraries that an install script of onnxruntime-node would fetch. */
async function installPackage(): Promise<Result<string, string>> {
  const folder = join(HOME_FOLDER, "transformers-js");
  const manifest = join(folder, "node_modules", PACKAGE, "package.json");
  const versionSchema = z.object({ version: z.string() });
  const text = await readFile(manifest, "utf8").catch(() => undefined);
  if (text !== undefined && versionSchema.parse(JSON.parse(text)).version === VERSION) return ok(folder);
  console.log(`installing ${PACKAGE} ${VERSION} (0.5 GB, only once)`);
  await mkdir(folder, { recursive: true });
  const description = { private: true, type: "module", dependencies: { [PACKAGE]: VERSION } };
  await writeFile(join(folder, "package.json"), JSON.stringify(description));
  try {
    const flags = ["install", "--ignore-scripts", "--no-audit", "--no-fund"];
    await promisify(execFile)("npm", flags, { cwd: folder, timeout: INSTALL_TIMEOUT_MS });
    return ok(folder);
  } catch {
    return err(`npm could not install ${PACKAGE} ${VERSION}`);
  }
}

/** The folder layout that the library looks for; `model_quantized.onnx` is its name of a q8 graph. */
async function layOutModel(folder: string, modelFolder: string, graphPath: string): Promise<void> {
  const graph = join(folder, "onnx", "model_quantized.onnx");
  await mkdir(dirname(graph), { recursive: true });
  for (const name of MODEL_FILES) await copyFile(join(modelFolder, name), join(folder, name));
  await rm(graph, { force: true });
  await symlink(graphPath, graph);
}
