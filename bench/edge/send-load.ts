import { Agent, request } from "node:http";
import { percentile } from "../support/statistics.ts";

export interface Load {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent in turn, the first again after the last. */
  readonly bodies: readonly Buffer[];
  readonly requestCount: number;
  readonly connectionCount: number;
  /** Every reply has to have this status. */
  readonly expectedStatus: number;
}

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** Sends a bounded number of POST requests over connections that are kept open, each sending its next one when it has its reply. */
export async function sendLoad(load: Load): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connectionCount });
  const durationsMs: number[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    while (next < load.requestCount) {
      const body = load.bodies[next++ % load.bodies.length] ?? Buffer.alloc(0);
      const startedAtMs = performance.now();
      const status = await post(load, agent, body);
      if (status !== load.expectedStatus) throw new Error(`a request was answered with status ${status}`);
      durationsMs.push(performance.now() - startedAtMs);
    }
  };
  const startedAtMs = performance.now();
  try {
    await Promise.all(Array.from({ length: load.connectionCount }, client));
  } finally {
    agent.destroy();
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  return {
    requestsPerSecond: load.requestCount / seconds,
    medianMs: percentile(durationsMs, 0.5),
    p99Ms: percentile(durationsMs, 0.99),
  };
}

function post(load: Load, agent: Agent, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      load.url,
      { method: "POST", agent, headers: { ...load.headers, "content-length": String(body.length) } },
      (response) => {
        response.resume();
        response.once("end", () => resolve(response.statusCode ?? 0));
        response.once("error", reject);
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}
