import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { batchStatus } from "../../src/lib/flows/batches/batch-status.ts";
import type { EmbedConsumerContext } from "../../src/queues/embed-consumer.ts";
import { consumeEmbedBatch } from "../../src/queues/embed-consumer.ts";
import { consumeDeadLetterBatch } from "../../src/queues/dead-letter-consumer.ts";
import { expectOk } from "../support/database.ts";
import { batchOf, deliver } from "./support/deliveries.ts";
import { UNCOUNTED, UNTRACED } from "./support/uncounted.ts";
import { openWorld, type World } from "./support/world.ts";

const TEXT = "The jet flows over the wing in the boundary layer of the token.";

let world: World;
let logLines: string[] = [];
let tenantCount = 0;

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());
afterEach(() => {
  world.embedder.outage = undefined;
  world.take();
  logLines = [];
});

function newTenant(): string {
  tenantCount += 1;
  return `consumer-${tenantCount}`;
}

function consumerContext(): EmbedConsumerContext {
  const line = (event: string, fields: unknown): void => void logLines.push(`${event} ${JSON.stringify(fields)}`);
  return {
    ...world.context(),
    log: { info: line, warn: line, error: line },
    random: () => 0.5,
    inTrace: UNTRACED,
    metrics: UNCOUNTED,
  };
}

describe("the embed consumer", () => {
  it("acks each message after its commit and writes the report when the batch is done", async () => {
    const tenant = newTenant();
    await world.ingest(tenant, [{ id: "a", text: TEXT }], { batchTag: "night" });
    await world.ingest(tenant, [{ id: "b", text: "Another token flows in the layer." }], { batchTag: "night" });
    const deliveries = world.take().map((message) => deliver(message));
    await consumeEmbedBatch(batchOf(deliveries), consumerContext());
    expect(deliveries.map((delivery) => delivery.decision)).toEqual(["ack", "ack"]);
    const report: unknown = await (await world.bucket.get(`ingest_reports/${tenant}/night.json`))?.json();
    expect(report).toMatchObject({ document_count: 2, state: "done", outcomes: { indexed: 2 } });
  });

  it("delays messages while the embedder is down, spares the others the same failure, and indexes all of them after", async () => {
    const tenant = newTenant();
    for (const id of ["a", "b", "c", "d", "e", "f"])
      await world.ingest(tenant, [{ id, text: `${id} is another jet than all the others.` }], { batchTag: "outage" });
    const messages = world.take();
    world.embedder.outage = { code: "embedder_unavailable" };
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const deliveries = messages.map((message) => deliver(message, attempt));
      await consumeEmbedBatch(batchOf(deliveries), consumerContext());
      expect(deliveries.every((delivery) => delivery.decision === "retry")).toBe(true);
      expect(deliveries.every((delivery) => (delivery.delaySeconds ?? 0) >= 1)).toBe(true);
    }
    expect(logLines.filter((line) => line.startsWith("range_failed")).length).toBeLessThan(3 * messages.length);
    world.embedder.outage = undefined;
    const deliveries = messages.map((message) => deliver(message, 4));
    await consumeEmbedBatch(batchOf(deliveries), consumerContext());
    expect(deliveries.every((delivery) => delivery.decision === "ack")).toBe(true);
    const status = expectOk(await batchStatus(world.context(), { tenantId: tenant, batchTag: "outage" }));
    expect(status).toMatchObject({ state: "done", outcomes: { indexed: 6 } });
  });

  it("obeys an overloaded embedder's Retry-After", async () => {
    await world.ingest(newTenant(), [{ id: "a", text: TEXT }]);
    world.embedder.outage = { code: "embedder_overloaded", retryAfterSeconds: 9 };
    const [delivery] = world.take().map((message) => deliver(message));
    if (delivery === undefined) throw new Error("no message was queued");
    await consumeEmbedBatch(batchOf([delivery]), consumerContext());
    expect(delivery.decision).toBe("retry");
    expect(delivery.delaySeconds).toBeGreaterThanOrEqual(9);
  });

  it("buries a range whose object is damaged while its neighbours are indexed", async () => {
    const tenant = newTenant();
    await world.ingest(tenant, [{ id: "good", text: TEXT }], { batchTag: "mixed" });
    await world.ingest(tenant, [{ id: "damaged", text: TEXT }], { batchTag: "mixed" });
    const messages = world.take();
    const damaged = messages.at(-1);
    if (damaged === undefined) throw new Error("no message was queued");
    const object = await world.bucket.get(damaged.wal_key);
    const bytes = new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer());
    bytes[bytes.length - 5] = (bytes[bytes.length - 5] ?? 0) ^ 255;
    await world.bucket.put(damaged.wal_key, bytes, { customMetadata: object?.customMetadata ?? {} });
    const deliveries = messages.map((message) => deliver(message));
    await consumeEmbedBatch(batchOf(deliveries), consumerContext());
    expect(deliveries.map((delivery) => delivery.decision)).toEqual(["ack", "ack"]);
    const status = expectOk(await batchStatus(world.context(), { tenantId: tenant, batchTag: "mixed" }));
    expect(status).toMatchObject({ state: "done_with_failures", outcomes: { indexed: 1, failed: 1 } });
    const letters = await world.rows(tenant, "select code, wal_id from dead_letters");
    expect(letters).toEqual([{ code: "wal_damaged", wal_id: damaged.wal_id }]);
  });

  it("leaves a message that cannot be read to the dead-letter queue, and disturbs nothing else", async () => {
    const tenant = newTenant();
    await world.ingest(tenant, [{ id: "a", text: TEXT }]);
    const deliveries = [
      deliver("garbage"),
      deliver({ version: 9 }),
      ...world.take().map((message) => deliver(message)),
    ];
    await consumeEmbedBatch(batchOf(deliveries), consumerContext());
    expect(deliveries.map((delivery) => delivery.decision)).toEqual(["retry", "retry", "ack"]);
  });

  it("logs ids, counts and codes, and no text", async () => {
    await world.ingest(newTenant(), [
      { id: "secret-plan", text: "The wing of the secret token flows.", title: "Confidential jet" },
    ]);
    await consumeEmbedBatch(batchOf(world.take().map((message) => deliver(message))), consumerContext());
    expect(logLines.join("\n")).toContain("range_applied");
    expect(logLines.join("\n")).not.toMatch(/secret|Confidential/);
  });
});

describe("the dead-letter consumer", () => {
  it("lists a range whose attempts were used up under its tenant, and garbage under the system's", async () => {
    const tenant = newTenant();
    await world.ingest(tenant, [{ id: "a", text: TEXT }]);
    const [message] = world.take();
    const deliveries = [deliver(message, 100), deliver("garbage", 3)];
    const listed: unknown[] = [];
    const noteListed = (letter: unknown): void => void listed.push(letter);
    const context = { ...consumerContext(), sql: world.database.sql, noteListed };
    await consumeDeadLetterBatch(batchOf(deliveries), context);
    await consumeDeadLetterBatch(batchOf(deliveries), context);
    expect(deliveries.every((delivery) => delivery.decision === "ack")).toBe(true);
    expect(await world.rows(tenant, "select code, attempts from dead_letters")).toEqual([
      { code: "attempts_exhausted", attempts: 100 },
    ]);
    expect(await world.rows("system", "select code from dead_letters")).toEqual([{ code: "message_malformed" }]);
    expect(listed.slice(0, 2)).toEqual([
      { queue: "embed", code: "attempts_exhausted" },
      { queue: "embed", code: "message_malformed" },
    ]);
  });
});
