import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openApiDoor, type ApiDoor } from "./support/api-door.ts";
import { type BridgeProcess, startBridge } from "./support/bridge-process.ts";
import { type IngestService, startIngestService } from "./support/ingest-service.ts";
import { addEntry, documentMessage, openProducer, untilDone, type Producer } from "./support/producer.ts";
import { isRedisAvailable } from "./support/redis-available.ts";
import { type RedisServer, startRedis } from "./support/redis-server.ts";
import { until } from "./support/until.ts";

const suites = isRedisAvailable() ? ["a real Redis server"] : [];

describe.each(suites)("bridge of a stream, on %s", () => {
  let service: IngestService;
  let redis: RedisServer;
  let producer: Producer;
  let door: ApiDoor;
  let key: string;
  let tenant = "";
  let stream = "";
  let runCount = 0;
  const bridges: BridgeProcess[] = [];

  beforeAll(async () => {
    [service, redis] = await Promise.all([startIngestService(), startRedis()]);
    producer = await openProducer(redis.url);
  });
  afterAll(async () => {
    producer.destroy();
    await Promise.all([redis.stop(), service.close()]);
  });
  afterEach(async () => {
    for (const running of bridges.splice(0)) await running.kill();
    await door.close();
  });

  /** A tenant, a stream and a door of the test's own. */
  async function prepare(): Promise<void> {
    runCount += 1;
    tenant = `bridge-${runCount}`;
    stream = `triggers-${runCount}`;
    key = await service.newKey(tenant);
    door = await openApiDoor(service.url);
  }

  async function bridge(...args: readonly string[]): Promise<BridgeProcess> {
    const started = await startBridge({
      redisUrl: redis.url,
      apiUrl: door.url,
      key,
      args: ["--stream", stream, "--claim-seconds", "1", "--request-documents", "7", ...args],
    });
    bridges.push(started);
    return started;
  }

  async function add(from: number, to: number): Promise<void> {
    for (let index = from; index < to; index += 1)
      await addEntry(producer, stream, `1-${index + 1}`, documentMessage(`d${index}`));
  }

  async function expectOneEffectEach(count: number): Promise<void> {
    const counts = await service.acceptedCounts(tenant);
    const expected = new Map(Array.from({ length: count }, (_, index) => [`d${index}`, 1]));
    expect(Object.fromEntries(counts)).toEqual(Object.fromEntries(expected));
  }

  it("delivers what was there before it came, once each, and leaves the group on SIGTERM with code 0", async () => {
    await prepare();
    await add(0, 50);
    const running = await bridge();
    await add(50, 100);
    await untilDone(producer, stream);
    expect(await running.end()).toBe(0);
    await expectOneEffectEach(100);
    expect(await producer.xInfoConsumers(stream, "jeeves")).toEqual([]);
    const { entries_read: read, entries_acked: acked } = await running.event("bridge_ended");
    expect({ read, acked }).toEqual({ read: 100, acked: 100 });
  });

  it("has one effect each through kill -9 of bridges, kill -9 of Redis, an API that is down, busy, or does not reply", async () => {
    await prepare();
    let victim = await bridge();
    await bridge();
    for (const [round, state] of (["down", "busy", "unavailable"] as const).entries()) {
      // The API takes requests and nobody hears of it; then one of those who sent them dies, and then Redis.
      const unansweredBefore = door.unansweredCount;
      door.state = "deaf";
      const producing = add(round * 120, (round + 1) * 120);
      await until(() => door.unansweredCount > unansweredBefore + 1);
      await victim.kill();
      door.state = state;
      await redis.kill();
      await redis.restart();
      victim = await bridge();
      door.state = "pass";
      await producing;
    }
    await untilDone(producer, stream);
    await expectOneEffectEach(360);
    expect(await producer.exists(`${stream}:jeeves-plans:jeeves`)).toBe(0);
  });

  it("waits as long as a 429 asks for, and acknowledges nothing before the 202", async () => {
    await prepare();
    door.state = "busy";
    await bridge("--in-flight", "1");
    await add(0, 5);
    await until(() => door.arrivalsMs.length >= 3);
    const [first = 0, second = 0, third = 0] = door.arrivalsMs;
    expect(second - first).toBeGreaterThanOrEqual(1000);
    expect(third - second).toBeGreaterThanOrEqual(1000);
    // Read and not acknowledged, or not read yet: the first read may have come before the last entry.
    const [group] = await producer.xInfoGroups(stream);
    expect([group?.pending, group?.lag].reduce<number>((sum, count) => sum + Number(count), 0)).toBe(5);
    door.state = "pass";
    await untilDone(producer, stream);
    await expectOneEffectEach(5);
  });

  it("drains on Ctrl-C: what is in flight is finished, what the API does not take stays pending for the next", async () => {
    await prepare();
    const first = await bridge("--drain-seconds", "1", "--consumer", "only");
    await add(0, 10);
    await untilDone(producer, stream);
    door.state = "down";
    await add(10, 20);
    await until(() => door.arrivalsMs.length > 4);
    expect(await first.end("SIGINT")).toBe(1);
    expect((await producer.xInfoGroups(stream))[0]?.pending).toBe(10);
    door.state = "pass";
    await bridge("--consumer", "only", "--claim-seconds", "3600");
    await untilDone(producer, stream);
    await expectOneEffectEach(20);
  });

  it("shares the entries of one group between bridges", async () => {
    await prepare();
    const alone = ["--in-flight", "1", "--claim-seconds", "3600"];
    const sharing = [await bridge(...alone), await bridge(...alone), await bridge(...alone)];
    await add(0, 300);
    await untilDone(producer, stream);
    const reads: number[] = [];
    for (const each of sharing) {
      expect(await each.end()).toBe(0);
      reads.push(Number((await each.event("bridge_ended"))["entries_read"]));
    }
    expect(reads.reduce((sum, count) => sum + count, 0)).toBe(300);
    expect(Math.min(...reads)).toBeGreaterThan(0);
    await expectOneEffectEach(300);
  });

  it("keeps the order of entries with the same document", async () => {
    await prepare();
    for (let version = 0; version < 40; version += 1)
      await addEntry(
        producer,
        stream,
        `1-${version + 1}`,
        documentMessage("same", `Version ${version} of a text that changes often.`),
      );
    await bridge("--in-flight", "8", "--request-documents", "3");
    await untilDone(producer, stream);
    const versions = (await service.textsOf(tenant, "same")).map((text) => Number(/\d+/.exec(text)?.[0]));
    expect(versions).toEqual(Array.from({ length: 40 }, (_, version) => version));
  });

  it("puts what is no message, or too large, into the dead letters, and the rest goes on", async () => {
    await prepare();
    const large = documentMessage("large", "large ".repeat(2_000));
    const bad = [
      "no json",
      JSON.stringify({ id: "x" }),
      JSON.stringify({ documents: [] }),
      Buffer.from([0x22, 0xff, 0x22]),
      large,
    ];
    for (const [index, message] of bad.entries()) {
      await addEntry(producer, stream, `1-${index * 2 + 1}`, message);
      await addEntry(producer, stream, `1-${index * 2 + 2}`, documentMessage(`d${index}`));
    }
    await producer.xAdd(stream, "2-1", { other: "field" });
    const running = await bridge("--message-bytes", "5000");
    await untilDone(producer, stream);
    await expectOneEffectEach(bad.length);
    const letters = await producer.xRange(`${stream}:dead`, "-", "+");
    expect((letters ?? []).map(({ message }) => message["code"])).toEqual([
      "message_not_json",
      "message_invalid",
      "message_invalid",
      "message_not_utf8",
      "message_too_large",
      "message_missing",
    ]);
    expect(letters?.[0]?.message).toMatchObject({ from: stream, id: "1-1", message: "no json", size_bytes: "7" });
    expect(running.output()).not.toContain("no json");
  });

  it("keeps a bounded number of dead letters", async () => {
    await prepare();
    const transaction = producer.multi();
    for (let index = 0; index < 1_000; index += 1) transaction.xAdd(stream, `1-${index + 1}`, { message: "no json" });
    await transaction.exec();
    await bridge("--dead-letters-max", "100");
    await untilDone(producer, stream);
    expect(await producer.xLen(`${stream}:dead`)).toBeLessThan(300);
  });

  it("takes large entries, several of them, beside small ones", async () => {
    await prepare();
    const text = "A sentence of a large document that says something. ".repeat(15_000);
    for (let index = 0; index < 6; index += 1)
      await addEntry(
        producer,
        stream,
        `1-${index + 1}`,
        documentMessage(`d${index}`, index % 2 === 0 ? `${index} ${text}` : undefined),
      );
    await bridge();
    await untilDone(producer, stream);
    await expectOneEffectEach(6);
  });

  it("deletes what is acknowledged where it is asked to, and survives a stream whose pending entries were trimmed", async () => {
    await prepare();
    const first = await bridge("--delete-acked");
    await add(0, 20);
    await untilDone(producer, stream);
    expect(await producer.xLen(stream)).toBe(0);
    door.state = "down";
    await add(20, 30);
    await until(async () => (await producer.xInfoGroups(stream))[0]?.pending === 10);
    await first.kill();
    await producer.xTrim(stream, "MAXLEN", 4);
    door.state = "pass";
    const second = await bridge("--delete-acked");
    await untilDone(producer, stream);
    expect(await second.end()).toBe(0);
    expect((await service.acceptedCounts(tenant)).size).toBe(24);
    expect((await second.event("bridge_ended"))["entries_vanished"]).toBe(6);
  });

  it("waits with a key that the API does not take, and loses nothing", async () => {
    await prepare();
    const goodKey = key;
    key = `${goodKey.slice(0, -6)}AAAAAA`;
    const refused = await bridge();
    await add(0, 5);
    expect((await refused.event("api_failed"))["reason"]).toMatch(/^401/);
    await refused.kill();
    key = goodKey;
    await bridge();
    await untilDone(producer, stream);
    await expectOneEffectEach(5);
  });
});
