import { embedAll } from "../support/embed-client.ts";
import { startEmbedder } from "../support/embedder-process.ts";
import { CLIENT_PLANS, planLabel } from "./client-plans.ts";
import type { Side } from "./side.ts";

/** Our server over HTTP with default settings; texts in bulk, as an indexer sends them. */
export async function ourSide(): Promise<Side> {
  const server = await startEmbedder();
  const target = {
    url: `${server.url}/v1/embeddings`,
    modelName: "sentence-transformers/all-MiniLM-L6-v2",
    headers: { "x-embed-lane": "bulk" },
  };
  return {
    name: "gpu-embedder over HTTP",
    pids: [server.pid],
    settings: CLIENT_PLANS.map((plan) => ({
      label: planLabel(plan),
      run: (set) => embedAll(target, set.texts, plan),
    })),
    otherSettings: [],
    async stop() {
      await server.stop();
    },
  };
}
