import { beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/lib/base/limits.ts";
import type { Env } from "../../src/workers/env.ts";
import { ask, ingest, makeKey, suiteEnv, type Reply } from "./support/worker.ts";

const TEXT = "Ask not what your country can do for you; ask what you can do for your country.";
const body = (id: string) => ({ documents: [{ id, text: TEXT }] });

let key = "";
beforeAll(async () => {
  key = (await makeKey("admission", ["ingest", "search"])).key;
});

interface Waiting {
  readonly env: Env;
  /** Messages that the queue says are waiting. */
  backlog: number;
  looks: number;
}

function waiting(variables: Readonly<Record<string, string>>): Waiting {
  const send = async (): Promise<void> => undefined;
  const world: Waiting = {
    backlog: 0,
    looks: 0,
    env: suiteEnv({
      ...variables,
      EMBED_QUEUE: {
        send,
        sendBatch: send,
        metrics: async () => {
          world.looks += 1;
          return { backlogCount: world.backlog, backlogBytes: 0 };
        },
      },
    }),
  };
  return world;
}

function expectRefused(reply: Reply): void {
  expect(reply.status).toBe(429);
  expect(reply.body.code).toBe("rate_limited");
  expect(Number(reply.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
}

describe("ingest under overload", () => {
  it("is refused with 429 and Retry-After while too many messages wait, and nothing of it is stored", async () => {
    const world = waiting({ INGEST_BACKLOG_MAX: "5" });
    world.backlog = 5;
    expect((await ingest(key, body("first"), {}, world.env)).status).toBe(202);
    await expect.poll(() => world.looks).toBe(1);
    const before = (await world.env.BUCKET.list({ prefix: "wal/admission/" })).objects.length;
    expectRefused(await ingest(key, body("second"), {}, world.env));
    expect((await world.env.BUCKET.list({ prefix: "wal/admission/" })).objects).toHaveLength(before);
    const dryRun = await ask(
      "/v1/documents?dry_run=1",
      { method: "POST", key, body: JSON.stringify(body("dry")), headers: { "content-type": "application/json" } },
      world.env,
    );
    expect(dryRun.status).toBe(200);
  });

  it("is taken again when the queue has room", async () => {
    const world = waiting({ INGEST_BACKLOG_MAX: "5" });
    world.backlog = 5;
    await ingest(key, body("a"), {}, world.env);
    await expect.poll(() => world.looks).toBe(1);
    expectRefused(await ingest(key, body("b"), {}, world.env));
    world.backlog = 0;
    await expect.poll(async () => (await ingest(key, body("b"), {}, world.env)).status, { timeout: 5_000 }).toBe(202);
  });

  it("without a bound is accepted however much waits, and nobody asks the queue", async () => {
    const world = waiting({});
    world.backlog = 1_000_000;
    for (const id of ["a", "b"]) expect((await ingest(key, body(id), {}, world.env)).status).toBe(202);
    expect(world.looks).toBe(0);
  });

  it("has at most so many requests in hand in one isolate, and takes more as those end", async () => {
    const world = waiting({});
    const bodies: ReadableStreamDefaultController<Uint8Array>[] = [];
    const held = Array.from({ length: LIMITS.ingestRequestsInHandMax }, () => {
      const stream = new ReadableStream<Uint8Array>(
        { pull: (stalled) => void bodies.push(stalled) },
        { highWaterMark: 0 },
      );
      const init = { method: "POST", key, body: stream, headers: { "content-type": "application/json" } };
      return ask("/v1/documents", init, world.env);
    });
    await expect.poll(() => bodies.length, { timeout: 20_000 }).toBe(LIMITS.ingestRequestsInHandMax);
    expectRefused(await ingest(key, body("one-too-many"), {}, world.env));
    for (const open of bodies) open.close();
    for (const reply of await Promise.all(held)) expect(reply.body.code).toBe("body_malformed");
    expect((await ingest(key, body("one-too-many"), {}, world.env)).status).toBe(202);
  });
});
