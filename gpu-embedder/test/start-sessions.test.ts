import { renameSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { EmbeddingEngine } from "../src/engine/embedding-engine.ts";
import type { InferenceSession } from "../src/engine/inference-session.ts";
import { startSessions } from "../src/engine/start-sessions.ts";
import { buildGraphOf } from "../src/graph/graph-cache.ts";
import { readModelConfig } from "../src/graph/model-config.ts";
import { writeTinyModel } from "./tiny-model.ts";

const PLANS = [{ threadCount: 1, niceness: 0, lanes: ["interactive", "bulk"] }] as const;

/** An engine that lets the test end its sessions' threads. */
class ObservedEngine extends EmbeddingEngine {
  readonly sessions: InferenceSession[] = [];

  override addSession(...[session, lanes]: Parameters<EmbeddingEngine["addSession"]>): void {
    this.sessions.push(session);
    super.addSession(session, lanes);
  }
}

let folder: string;
let graphPath: string;
let engine: ObservedEngine;
let ended: number;
const failures: string[] = [];

beforeEach(async () => {
  folder = writeTinyModel(11, "mean");
  graphPath = join(folder, "graph.onnx");
  const config = readModelConfig(folder);
  if (!config.ok) throw new Error(config.error.detail);
  const graph = buildGraphOf(folder, config.value, { precision: "fp32" });
  if (!graph.ok) throw new Error(graph.error.detail);
  writeFileSync(graphPath, graph.value);
  ended = 0;
  failures.length = 0;
  const budget = {
    tokensMax: 256,
    textsMax: 16,
    paddingShareMax: 0.1,
    paddingTokensFree: 16,
    unpaddedTokensEnough: 256,
  };
  engine = new ObservedEngine(
    { budget, queueTokensMax: 10_000, requestsMax: 16, padTokenId: 0, sequenceMultiple: 1 },
    { batchStarted: () => undefined, threadEnded: () => (ended += 1) },
    () => performance.now(),
  );
  const session = { graphPath, pooling: "mean", provider: "cpu", deviceId: 0 } as const;
  await startSessions({ engine, graph: session, onRestartFailed: (detail) => failures.push(detail) }, PLANS);
});

afterEach(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

async function embeds(): Promise<boolean> {
  const request = { texts: [Int32Array.of(1, 2, 3)], lane: "bulk", normalize: true } as const;
  return (await engine.embed({ ...request, signal: new AbortController().signal })).ok;
}

test("a thread that ends is reported and replaced, and work goes on", async () => {
  expect(await embeds()).toBe(true);
  await engine.sessions[0]?.close();
  await expect.poll(() => [ended, engine.sessions.length, engine.sessionCount]).toEqual([1, 2, 1]);
  expect(await embeds()).toBe(true);
});

test("a replacement that does not start is reported and tried again until it does", async () => {
  renameSync(graphPath, `${graphPath}.gone`);
  await engine.sessions[0]?.close();
  await expect.poll(() => failures.length).toBeGreaterThan(0);
  expect(engine.sessionCount).toBe(0);
  const waiting = embeds();
  renameSync(`${graphPath}.gone`, graphPath);
  expect(await waiting).toBe(true);
  expect(engine.sessionCount).toBe(1);
});

test("a closed engine gets no replacements", async () => {
  await engine.close();
  expect(engine.sessionCount).toBe(0);
  expect(engine.sessions).toHaveLength(1);
  expect(failures).toEqual([]);
});
