import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Worker } from "node:worker_threads";
import { err, ok, type Result } from "../base/result.ts";
import type { Provider } from "./provider.ts";
import { prepareOrtEnvironment } from "./ort-environment.ts";

/** Why CUDA cannot be used, or undefined when a small inference on the device gave the right answer. */
export type CudaProbe = (deviceId: number) => Promise<string | undefined>;

export type ProviderError = { readonly code: "cuda_unavailable"; readonly detail: string };

/** Milliseconds that loading CUDA and one small inference may take; a cold driver needs several seconds. */
const PROBE_TIMEOUT_MS = 60_000;

/** The provider's library, which onnxruntime-node installs only on request. Asked for first: ONNX Runtime complains loudly where it lacks. */
function isCudaInstalled(): boolean {
  const entry = createRequire(import.meta.url).resolve("onnxruntime-node");
  const folder = join(dirname(entry), "../bin/napi-v6", process.platform, process.arch);
  return existsSync(join(folder, "libonnxruntime_providers_cuda.so"));
}

/** Tries the device in a thread of its own. */
export const probeCuda: CudaProbe = (deviceId) =>
  new Promise((resolve) => {
    if (!isCudaInstalled()) return resolve("onnxruntime-node was installed without its CUDA provider");
    prepareOrtEnvironment();
    const worker = new Worker(new URL("./cuda-probe-worker.ts", import.meta.url), { workerData: { deviceId } });
    const timer = setTimeout(() => finish(`no answer within ${PROBE_TIMEOUT_MS} ms`), PROBE_TIMEOUT_MS);
    const finish = (failure: string | undefined): void => {
      clearTimeout(timer);
      resolve(failure);
    };
    worker.once("message", (failure: unknown) => finish(failure === "" ? undefined : String(failure)));
    worker.once("error", (cause) => finish(cause instanceof Error ? cause.message : "the probe failed"));
    worker.once("exit", () => finish("the probe ended without an answer"));
  });

/**
 * The provider to run on. `auto` takes CUDA where the probe succeeds and the CPU otherwise, and hands on why; `cuda` is refused with
 * `cuda_unavailable` where it fails: a server that was meant for a GPU never turns slow in silence.
 */
export async function chooseProvider(
  wanted: Provider | "auto",
  deviceId: number,
  probe: CudaProbe,
): Promise<Result<{ readonly provider: Provider; readonly cudaFailure: string | undefined }, ProviderError>> {
  if (wanted === "cpu") return ok({ provider: "cpu", cudaFailure: undefined });
  const cudaFailure = await probe(deviceId);
  if (cudaFailure === undefined) return ok({ provider: "cuda", cudaFailure });
  if (wanted === "cuda") return err({ code: "cuda_unavailable", detail: cudaFailure });
  return ok({ provider: "cpu", cudaFailure });
}
