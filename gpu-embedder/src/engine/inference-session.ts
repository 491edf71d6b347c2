import { Worker } from "node:worker_threads";
import type {
  BatchMessage,
  BatchResult,
  InferenceWorkerData,
  RequestMessage,
  WorkerMessage,
} from "./batch-messages.ts";
import { prepareOrtEnvironment } from "./ort-environment.ts";

/** Raised by `run` when the worker thread ended or refused the batch. */
export class InferenceFailure extends Error {
  override readonly name = "InferenceFailure";
}

export type Batch = Omit<BatchMessage, "id">;

type Waiting = { readonly resolve: (result: BatchResult) => void; readonly reject: (cause: Error) => void };

/** The main thread's end of one worker thread with a loaded model. */
export type InferenceSession = {
  /** Runs one batch. The batch's buffers are handed over. Batches of one session run one after another. Rejects with InferenceFailure. */
  run(batch: Batch): Promise<BatchResult>;
  /** Settles when the thread has ended, wanted or not. */
  readonly ended: Promise<void>;
  /**
   * Ends the thread once the batches it was given are done. Never by terminate: a thread that is ended inside ONNX Runtime takes the
   * whole process with it (onnxruntime-node 1.30, an uncaught Napi::Error).
   */
  close(): Promise<void>;
};

/** Starts a worker thread and resolves when its model is loaded. Rejects with InferenceFailure when it cannot be. */
export async function startInferenceSession(data: InferenceWorkerData): Promise<InferenceSession> {
  prepareOrtEnvironment();
  const worker = new Worker(new URL("./inference-worker.ts", import.meta.url), { workerData: data });
  const waiting = new Map<number, Waiting>();
  let nextId = 1;
  let endedWith: InferenceFailure | undefined;

  const ended = new Promise<void>((resolve) => {
    worker.once("exit", (code) => {
      endedWith ??= new InferenceFailure(`inference thread ended with code ${code}`);
      for (const { reject } of waiting.values()) reject(endedWith);
      waiting.clear();
      resolve();
    });
  });
  const ready = new Promise<void>((resolve, reject) => {
    worker.on("error", (cause) => {
      endedWith = new InferenceFailure("inference thread failed", { cause });
      reject(endedWith);
    });
    worker.once("exit", () => reject(endedWith ?? new InferenceFailure("inference thread ended while loading")));
    worker.on("message", (message: WorkerMessage) => {
      if (message.kind === "ready") return resolve();
      const request = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.kind === "done") request?.resolve(message);
      else request?.reject(new InferenceFailure(message.detail));
    });
  });
  await ready;
  return {
    run(batch) {
      return new Promise((resolve, reject) => {
        if (endedWith !== undefined) return reject(endedWith);
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        const message: RequestMessage = { kind: "batch", ...batch, id };
        worker.postMessage(message, [batch.tokenIds.buffer, batch.attentionMask.buffer]);
      });
    },
    ended,
    async close() {
      const message: RequestMessage = { kind: "close" };
      worker.postMessage(message, []);
      await ended;
    },
  };
}

export type PadOptions = {
  readonly padTokenId: number;
  /** The sequence length is rounded up to a multiple of this many tokens; 1 pads to the longest text. */
  readonly sequenceMultiple: number;
  readonly withPooled: boolean;
};

/** Lays token lists out as one padded batch. Padding carries `padTokenId` and mask 0. Every list has at least one token. */
export function padBatch(texts: readonly Int32Array[], options: PadOptions): Batch {
  const { padTokenId, sequenceMultiple, withPooled } = options;
  const longest = texts.reduce((length, text) => Math.max(length, text.length), 0);
  const sequenceLength = Math.ceil(longest / sequenceMultiple) * sequenceMultiple;
  const tokenIds = new Int32Array(texts.length * sequenceLength);
  if (padTokenId !== 0) tokenIds.fill(padTokenId);
  const attentionMask = new Int32Array(texts.length * sequenceLength);
  texts.forEach((text, row) => {
    tokenIds.set(text, row * sequenceLength);
    attentionMask.fill(1, row * sequenceLength, row * sequenceLength + text.length);
  });
  return { tokenIds, attentionMask, batchSize: texts.length, sequenceLength, withPooled };
}
