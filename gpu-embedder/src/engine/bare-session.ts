import type { SentenceConfig } from "../graph/model-config.ts";
import type { InferenceWorkerData } from "./batch-messages.ts";
import { padBatch, startInferenceSession, type Batch, type InferenceSession } from "./inference-session.ts";

/** Sessions without a server round them, for tests and measurements. */

type Graph = { readonly graphPath: string; readonly config: Pick<SentenceConfig, "pooling"> };

/** One session of a graph on the CPU. */
export function startBareSession({ graphPath, config }: Graph, threadCount = 1): Promise<InferenceSession> {
  const data: InferenceWorkerData = {
    graphPath,
    pooling: config.pooling,
    provider: "cpu",
    deviceId: 0,
    threadCount,
    niceness: 0,
  };
  return startInferenceSession(data);
}

/** Token lists as a batch of their longest one's length. */
export function bareBatch(texts: readonly Int32Array[]): Batch {
  return padBatch(texts, { padTokenId: 0, sequenceMultiple: 1, withPooled: false });
}
