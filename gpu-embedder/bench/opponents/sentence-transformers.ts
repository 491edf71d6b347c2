import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startLineProcess } from "../../../bench/support/line-process.ts";
import { pythonEnvironment } from "../../../bench/support/python-environment.ts";
import { ok, type Result } from "../../src/base/result.ts";
import type { Provider } from "../../src/engine/provider.ts";
import { askForRun } from "./line-side.ts";
import type { Side } from "./side.ts";

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const BATCH_SIZES: Readonly<Record<Provider, readonly number[]>> = {
  cpu: [16, 32, 64, 128],
  cuda: [32, 128, 512, 1_024, 2_048],
};
const readySchema = z.object({ versions: z.string() });

/** Arithmetic of torch: its default, the same with products in tf32, and a model converted to half precision. */
export type TorchArithmetic = "fp32" | "tf32" | "fp16";

export interface SentenceTransformersOptions {
  readonly modelFolder: string;
  readonly provider: Provider;
  readonly arithmetic: TorchArithmetic;
  /** An interpreter that has the packages; undefined: the pinned ones are installed. */
  readonly python: string | undefined;
}

async function interpreterOf(given: string | undefined): Promise<Result<string, string>> {
  if (given !== undefined) return ok(given);
  const requirementsPath = pathOf("sentence-transformers.txt");
  return pythonEnvironment({ name: "sentence-transformers", requirementsPath });
}

/** PyPI sentence-transformers in process. An error is one sentence that says why it cannot be had. */
export async function sentenceTransformersSide({
  modelFolder,
  provider,
  arithmetic,
  python: given,
}: SentenceTransformersOptions): Promise<Result<Side, string>> {
  const python = await interpreterOf(given);
  if (!python.ok) return python;
  const script = pathOf("sentence_transformers_side.py");
  const place = [`--model=${modelFolder}`, `--device=${provider}`, `--arithmetic=${arithmetic}`];
  // The variable pins kernels of another processor and would only slow the opponent down.
  const command = ["-u", "OPENBLAS_CORETYPE", python.value, script, ...place];
  const process = await startLineProcess("env", command);
  return ok({
    name: `sentence-transformers ${readySchema.parse(process.ready).versions}`,
    pids: [process.pid],
    settings: BATCH_SIZES[provider].map((batch) => ({
      label: `batch ${batch}`,
      run: (set) => askForRun(process, set, { batch }),
    })),
    otherSettings: [],
    stop: () => process.stop(),
  });
}
