import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { assert, present } from "../base/assert.ts";
import { GRAPH_NAMES } from "../graph/graph-context.ts";
import type { BatchMessage, InferenceWorkerData, RequestMessage, WorkerMessage } from "./batch-messages.ts";

/**
 * Worker thread: one session of the model. `session.run` blocks its thread for the whole inference, which is why it is not the
 * thread that serves HTTP. The only door to onnxruntime-node.
 */
const port = present(parentPort ?? undefined, "the inference worker runs in a worker thread");
const data: InferenceWorkerData = workerData;

/** ONNX Runtime log level: errors only. Its warnings name nodes that were placed as intended. */
const LOG_SEVERITY_ERROR = 3;

// On Linux "process" 0 is the calling thread alone; elsewhere it would be the whole server.
if (data.niceness !== 0 && process.platform === "linux") setPriority(0, data.niceness);

const session = await InferenceSession.create(data.graphPath, {
  executionProviders: ["cpu"],
  graphOptimizationLevel: "all",
  intraOpNumThreads: data.threadCount,
  interOpNumThreads: 1,
  executionMode: "sequential",
  logSeverityLevel: LOG_SEVERITY_ERROR,
});

function floatsOf(tensor: Tensor | undefined): Float32Array<ArrayBuffer> {
  const values = present(tensor, "the graph has the output that was asked for").data;
  assert(values instanceof Float32Array, "the graph's outputs are float32");
  return new Float32Array(values);
}

async function run(batch: BatchMessage): Promise<void> {
  const shape = [batch.batchSize, batch.sequenceLength];
  const feeds = {
    [GRAPH_NAMES.tokenIds]: new Tensor("int32", batch.tokenIds, shape),
    [GRAPH_NAMES.attentionMask]: new Tensor("int32", batch.attentionMask, shape),
  };
  const wanted = batch.withPooled ? [GRAPH_NAMES.embedding, GRAPH_NAMES.pooled] : [GRAPH_NAMES.embedding];
  const startMs = performance.now();
  const outputs = await session.run(feeds, wanted);
  const inferenceMs = performance.now() - startMs;
  const embeddings = floatsOf(outputs[GRAPH_NAMES.embedding]);
  const pooled = batch.withPooled ? floatsOf(outputs[GRAPH_NAMES.pooled]) : new Float32Array(0);
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
