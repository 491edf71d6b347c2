import { fileURLToPath } from "node:url";
import { z } from "zod";
import { startLineProcess } from "../../../bench/support/line-process.ts";
import { pythonEnvironment } from "../../../bench/support/python-environment.ts";
import { ok, type Result } from "../../src/base/result.ts";
import { askForRun } from "./line-side.ts";
import type { Side } from "./side.ts";

const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const BATCH_SIZES = [16, 32, 64, 128] as const;
const readySchema = z.object({ versions: z.string() });

/** PyPI sentence-transformers in process, torch in fp32. An error is one sentence that says why it cannot be had. */
export async function sentenceTransformersSide(modelFolder: string): Promise<Result<Side, string>> {
  const requirementsPath = pathOf("sentence-transformers.txt");
  const python = await pythonEnvironment({ name: "sentence-transformers", requirementsPath });
  if (!python.ok) return python;
  const script = pathOf("sentence_transformers_side.py");
  // The variable pins kernels of another processor and would only slow the opponent down.
  const command = ["-u", "OPENBLAS_CORETYPE", python.value, script, `--model=${modelFolder}`];
  const process = await startLineProcess("env", command);
  return ok({
    name: `sentence-transformers ${readySchema.parse(process.ready).versions}`,
    pids: [process.pid],
    settings: BATCH_SIZES.map((batch) => ({
      label: `batch ${batch}`,
      run: (set) => askForRun(process, set, { batch }),
    })),
    otherSettings: [],
    stop: () => process.stop(),
  });
}
