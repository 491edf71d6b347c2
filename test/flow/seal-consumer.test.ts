import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { SealReport } from "../../src/lib/flows/sessions/register-segment.ts";
import { consumeDeadLetterBatch } from "../../src/queues/dead-letter-consumer.ts";
import { consumeSealBatch, type SealConsumerContext } from "../../src/queues/seal-consumer.ts";
import { batchOf, deliver } from "./support/deliveries.ts";
import { putSegment, talkFrames } from "./support/segments.ts";
import { UNCOUNTED, UNTRACED } from "./support/uncounted.ts";
import { openWorld, type World } from "./support/world.ts";

const NAME = { userId: "ann", sessionId: "talk" };

let world: World;
let tenantCount = 0;
let logLines: string[] = [];
const reports: SealReport[] = [];

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());
afterEach(() => {
  world.embedder.outage = undefined;
  logLines = [];
  reports.length = 0;
});

function newTenant(): string {
  tenantCount += 1;
  return `seals-${tenantCount}`;
}

function context(): SealConsumerContext {
  const line = (event: string, fields: unknown): void => void logLines.push(`${event} ${JSON.stringify(fields)}`);
  return {
    ...world.context(),
    condense: undefined,
    noteFallback: () => undefined,
    noteRegistered: async () => undefined,
    log: { info: line, warn: line, error: line },
    random: () => 0.5,
    inTrace: UNTRACED,
    metrics: { ...UNCOUNTED, registered: (report) => reports.push(report) },
  };
}

const segment = (tenantId: string, first: number, last: number) =>
  putSegment(world, { tenantId, ...NAME }, talkFrames(first, last), { first, last });

describe("the seal consumer", () => {
  it("takes a session's segments in the order in which they were made", async () => {
    const tenantId = newTenant();
    const messages = [await segment(tenantId, 4, 6), await segment(tenantId, 1, 3)];
    const deliveries = messages.map((message) => deliver(message));
    await consumeSealBatch(batchOf(deliveries, "jeeves-seal"), context());
    expect(deliveries.map(({ decision }) => decision)).toEqual(["ack", "ack"]);
    expect(reports.map(({ outcome }) => outcome)).toEqual(["registered", "registered"]);
  });

  it("registers at once while the embedder is down, and summarises when it is back", async () => {
    const tenantId = newTenant();
    const message = await segment(tenantId, 1, 3);
    world.embedder.outage = { code: "embedder_overloaded", retryAfterSeconds: 9 };
    const early = deliver(message);
    await consumeSealBatch(batchOf([early], "jeeves-seal"), context());
    expect(early.decision).toBe("retry");
    expect(early.delaySeconds).toBeGreaterThanOrEqual(9);
    expect(await world.rows(tenantId, "select event_count from sessions")).toEqual([{ event_count: "3" }]);
    world.embedder.outage = undefined;
    const late = deliver(message, 2);
    await consumeSealBatch(batchOf([late], "jeeves-seal"), context());
    expect(late.decision).toBe("ack");
  });

  it("lists a damaged segment with its reason and ends its message, and retries one that is missing until it is surely gone", async () => {
    const tenantId = newTenant();
    const message = await segment(tenantId, 1, 3);
    await world.bucket.put(message.object_key, "no segment at all");
    const damaged = deliver(message);
    await consumeSealBatch(batchOf([damaged], "jeeves-seal"), context());
    await world.bucket.delete(message.object_key);
    const [missing, gone] = [deliver(message, 2), deliver(message, 8)];
    await consumeSealBatch(batchOf([missing], "jeeves-seal"), context());
    await consumeSealBatch(batchOf([gone], "jeeves-seal"), context());
    expect([damaged, missing, gone].map(({ decision }) => decision)).toEqual(["ack", "retry", "ack"]);
    const letters = await world.rows(tenantId, "select queue, code, attempts from dead_letters order by code");
    expect(letters).toEqual([
      { queue: "seal", code: "segment_missing", attempts: 8 },
      { queue: "seal", code: "segment_not_recognized", attempts: 1 },
    ]);
    expect(logLines.join("\n")).not.toMatch(/ann|talk/);
  });

  it("leaves what cannot be read to the dead-letter consumer, which lists it by its queue", async () => {
    const tenantId = newTenant();
    const message = await segment(tenantId, 1, 3);
    const [broken, exhausted] = [deliver({ version: 9 }), deliver(message, 101)];
    await consumeSealBatch(batchOf([broken], "jeeves-seal"), context());
    expect(broken.decision).toBe("retry");
    const dead = deliver({ version: 9 }, 101);
    await consumeDeadLetterBatch(batchOf([dead, exhausted], "jeeves-seal-dlq"), {
      ...context(),
      noteListed: () => undefined,
    });
    expect([dead, exhausted].map(({ decision }) => decision)).toEqual(["ack", "ack"]);
    expect(await world.rows(tenantId, "select queue, code, dead_letter_id from dead_letters")).toEqual([
      {
        queue: "seal",
        code: "attempts_exhausted",
        dead_letter_id: `segment-${message.sha256.slice(0, 24)}-attempts_exhausted`,
      },
    ]);
    expect(await world.rows("system", "select queue, code from dead_letters")).toEqual([
      { queue: "seal", code: "message_malformed" },
    ]);
  });
});
