import type { SentenceConfig } from "../graph/model-config.ts";
import type { InferenceWorkerData } from "./batch-messages.ts";
import { padBatch, startInferenceSession, type Batch, type InferenceSession } from "./inference-session.ts";
import type { Provider } from "./provider.ts";

/** Sessions without a server round them, for tests and measurements. */

type Graph = { readonly graphPath: string; readonly config: Pick<SentenceConfig, "pooling"> };

/** One session of a graph: on the CPU with so many threads, or on the first CUDA device. */
export function startBareSession(
  { graphPath, config }: Graph,
  { provider = "cpu", threadCount = 1 }: { readonly provider?: Provider; readonly threadCount?: number } = {},
): Promise<InferenceSession> {
  const data: InferenceWorkerData = {
    graphPath,
    pooling: config.pooling,
    provider,
    deviceId: 0,
    threadCount,
    niceness: 0,
  };
  return startInferenceSession(data);
}

/** Token lists as a batch of their longest one's length, rounded up to a multiple. */
export function bareBatch(texts: readonly Int32Array[], sequenceMultiple = 1): Batch {
  return padBatch(texts, { padTokenId: 0, sequenceMultiple, withPooled: false });
}
