import type { Provider } from "../../src/engine/provider.ts";
import { startClients } from "../support/client-pool.ts";
import { startEmbedder } from "../support/embedder-process.ts";
import { CLIENT_PLANS, DEVICE_CLIENT_PLANS, planLabel } from "./client-plans.ts";
import type { Side } from "./side.ts";

/** A server on a GPU answers more than one thread can read. */
const DEVICE_CLIENT_THREADS = 4;

/** Our server over HTTP with the provider's default settings; texts in bulk, as an indexer sends them. */
export async function ourSide(provider: Provider): Promise<Side> {
  const server = await startEmbedder({ EMBED_PROVIDER: provider });
  const clients = startClients(provider === "cuda" ? DEVICE_CLIENT_THREADS : 0);
  const target = {
    url: `${server.url}/v1/embeddings`,
    modelName: "sentence-transformers/all-MiniLM-L6-v2",
    headers: { "x-embed-lane": "bulk" },
  };
  return {
    name: "gpu-embedder over HTTP",
    pids: [server.pid],
    settings: (provider === "cuda" ? DEVICE_CLIENT_PLANS : CLIENT_PLANS).map((plan) => ({
      label: planLabel(plan),
      run: (set) => clients.run([target], set, plan),
    })),
    otherSettings: [],
    async stop() {
      await clients.close();
      await server.stop();
    },
  };
}
