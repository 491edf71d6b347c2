import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession } from "onnxruntime-node";
import { present } from "../base/assert.ts";
import { feedsOf, readGraphIo, vectorsOf } from "./graph-io.ts";
import type { BatchMessage, InferenceWorkerData, RequestMessage, WorkerMessage } from "./batch-messages.ts";

/**
 * Worker thread: one session of the model. `session.run` blocks its thread for the whole inference, which is why it is not the
 * thread that serves HTTP.
 */
const port = present(parentPort ?? undefined, "the inference worker runs in a worker thread");
const data: InferenceWorkerData = workerData;

/** ONNX Runtime log level: errors only. Its warnings name nodes that were placed as intended. */
const LOG_SEVERITY_ERROR = 3;

// On Linux "process" 0 is the calling thread alone; elsewhere it would be the whole server.
if (data.niceness !== 0 && process.platform === "linux") setPriority(0, data.niceness);

const session = await InferenceSession.create(data.graphPath, {
  // CUDA stands alone: with the CPU behind it ONNX Runtime would fall back in silence
  executionProviders: data.provider === "cuda" ? [{ name: "cuda", deviceId: data.deviceId }] : ["cpu"],
  graphOptimizationLevel: "all",
  intraOpNumThreads: data.threadCount,
  interOpNumThreads: 1,
  executionMode: "sequential",
  logSeverityLevel: LOG_SEVERITY_ERROR,
});
const io = readGraphIo(session);

async function run(batch: BatchMessage): Promise<void> {
  const wanted = batch.withPooled ? io.outputsWithPooled : io.outputs;
  const feeds = feedsOf(io, batch);
  const startMs = performance.now();
  const outputs = await session.run(feeds, wanted);
  const inferenceMs = performance.now() - startMs;
  const { embeddings, pooled } = vectorsOf(io, outputs, batch, data.pooling);
  const message: WorkerMessage = { kind: "done", id: batch.id, embeddings, pooled, inferenceMs };
  port.postMessage(message, [embeddings.buffer, pooled.buffer]);
}

let lastRun = Promise.resolve();

port.on("message", (message: RequestMessage) => {
  if (message.kind === "batch") {
    lastRun = run(message).catch((cause: unknown) => {
      const detail = cause instanceof Error ? cause.message : "inference failed";
      const failure: WorkerMessage = { kind: "failed", id: message.id, detail };
      port.postMessage(failure);
    });
    return;
  }
  void lastRun.finally(async () => {
    await session.release();
    port.close();
  });
});
const ready: WorkerMessage = { kind: "ready" };
port.postMessage(ready);
