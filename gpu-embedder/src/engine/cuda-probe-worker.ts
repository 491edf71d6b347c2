import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { z } from "zod";
import { present } from "../base/assert.ts";
import { cudaReason } from "./cuda-reason.ts";
import { PROBE_NAMES, probeGraph } from "./probe-graph.ts";

/**
 * Worker thread: one tiny inference on the CUDA device. Only `cuda` stands in the list of providers: with `cpu` behind it ONNX Runtime would
 * fall back in silence. Posts why it failed, or an empty text.
 */
const port = present(parentPort ?? undefined, "the probe runs in a worker thread");
const { deviceId } = z.object({ deviceId: z.number() }).parse(workerData);
/** ONNX Runtime log level above its worst: the caller reports the failure. */
const LOG_SEVERITY_FATAL = 4;

async function probe(): Promise<string> {
  try {
    const session = await InferenceSession.create(probeGraph(), {
      executionProviders: [{ name: "cuda", deviceId }],
      logSeverityLevel: LOG_SEVERITY_FATAL,
    });
    const feeds = { [PROBE_NAMES.input]: new Tensor("float32", Float32Array.of(1, 2), [1, 2]) };
    const output = (await session.run(feeds))[PROBE_NAMES.output]?.data;
    await session.release();
    return output instanceof Float32Array && output[0] === 2 && output[1] === 4 ? "" : "the device gave a wrong sum";
  } catch (cause) {
    return cause instanceof Error ? cudaReason(cause.message) : "the session did not start";
  }
}

port.postMessage(await probe());
