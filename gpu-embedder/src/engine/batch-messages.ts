import type { Pooling } from "../graph/model-config.ts";
import type { Provider } from "./provider.ts";

/** What a worker thread is started with. */
export type InferenceWorkerData = {
  readonly graphPath: string;
  readonly provider: Provider;
  /** Number of the CUDA device; of no meaning on the CPU. */
  readonly deviceId: number;
  /** How token vectors become one, where the graph ends before that. */
  readonly pooling: Pooling;
  readonly threadCount: number;
  /** Added to the thread's nice value on Linux: 0 leaves it as it is. */
  readonly niceness: number;
};

/** One padded batch, row-major [batchSize x sequenceLength]; the buffers are transferred, not copied. */
export type BatchMessage = {
  readonly id: number;
  readonly tokenIds: Int32Array<ArrayBuffer>;
  readonly attentionMask: Int32Array<ArrayBuffer>;
  readonly batchSize: number;
  readonly sequenceLength: number;
  /** Whether the vectors before normalisation are wanted too. */
  readonly withPooled: boolean;
};

/** What the main thread sends. After `close` nothing follows. */
export type RequestMessage = ({ readonly kind: "batch" } & BatchMessage) | { readonly kind: "close" };

export type BatchResult = {
  /** [batchSize x dimensions], unit length. */
  readonly embeddings: Float32Array<ArrayBuffer>;
  /** The same before normalisation; empty unless asked for. */
  readonly pooled: Float32Array<ArrayBuffer>;
  readonly inferenceMs: number;
};

export type WorkerMessage =
  | { readonly kind: "ready" }
  | ({ readonly kind: "done"; readonly id: number } & BatchResult)
  | { readonly kind: "failed"; readonly id: number; readonly detail: string };
