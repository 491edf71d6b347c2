import { setTimeout as sleep } from "node:timers/promises";
import type { EmbedTarget } from "./embed-client.ts";

/** What became of one request. `lost`: no reply came. */
export interface Outcome {
  readonly status: number | "lost";
  readonly retryAfter: string | null;
  readonly durationMs: number;
}

/** A reply that takes longer counts as lost. */
const REPLY_TIMEOUT_MS = 120_000;

/** Sends one request and says what became of it. Never rejects. */
export async function tryEmbed(target: EmbedTarget, input: string | readonly string[]): Promise<Outcome> {
  const startedMs = performance.now();
  try {
    const response = await fetch(target.url, {
      method: "POST",
      headers: { "content-type": "application/json", ...target.headers },
      body: JSON.stringify({ model: target.modelName, input, encoding_format: "base64" }),
      signal: AbortSignal.timeout(REPLY_TIMEOUT_MS),
    });
    await response.arrayBuffer();
    const retryAfter = response.headers.get("retry-after");
    return { status: response.status, retryAfter, durationMs: performance.now() - startedMs };
  } catch {
    return { status: "lost", retryAfter: null, durationMs: performance.now() - startedMs };
  }
}

export interface OpenLoop {
  readonly ratePerSecond: number;
  readonly seconds: number;
  /** Requests under way at once: beyond it none is sent until one ends, and the delay is counted. */
  readonly inFlightMax: number;
  readonly send: (index: number) => Promise<void>;
}

export interface OpenLoopResult {
  readonly sent: number;
  /** Requests that were due while `inFlightMax` were under way, and were left out. */
  readonly leftOut: number;
  /** When the last one was due, on the clock of `performance.now`. */
  readonly lastSentMs: number;
}

/** Sends at a fixed rate whatever the server does, then waits until every request has its outcome. */
export async function runOpenLoop({ ratePerSecond, seconds, inFlightMax, send }: OpenLoop): Promise<OpenLoopResult> {
  const startedMs = performance.now();
  const total = Math.floor(ratePerSecond * seconds);
  const underWay = new Set<Promise<void>>();
  let leftOut = 0;
  for (let index = 0; index < total; index += 1) {
    const waitMs = startedMs + (index / ratePerSecond) * 1000 - performance.now();
    if (waitMs > 1) await sleep(waitMs);
    if (underWay.size >= inFlightMax) {
      leftOut += 1;
      continue;
    }
    const request = send(index).finally(() => underWay.delete(request));
    underWay.add(request);
  }
  const lastSentMs = performance.now();
  await Promise.all(underWay);
  return { lastSentMs, sent: total - leftOut, leftOut };
}

export interface Closed {
  readonly clients: number;
  readonly seconds: number;
  readonly send: (index: number) => Promise<void>;
}

/** Requests a second that a few clients get through when each sends the next one as soon as it has its reply. */
export async function measureCapacity({ clients, seconds, send }: Closed): Promise<number> {
  const startedMs = performance.now();
  let next = 0;
  let done = 0;
  const client = async (): Promise<void> => {
    while (performance.now() - startedMs < seconds * 1000) {
      await send(next++);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return done / ((performance.now() - startedMs) / 1000);
}
