import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openApiDoor, type ApiDoor } from "./support/api-door.ts";
import { type BridgeProcess, spawnBridge, startBridge } from "./support/bridge-process.ts";
import { type IngestService, startIngestService } from "./support/ingest-service.ts";
import { documentMessage, openProducer, type Producer } from "./support/producer.ts";
import { isRedisAvailable } from "./support/redis-available.ts";
import { type RedisServer, startRedis } from "./support/redis-server.ts";
import { until } from "./support/until.ts";

const suites = isRedisAvailable() ? ["a real Redis server"] : [];
const PASSWORD = "correct-horse-battery";

describe.each(suites)("bridge of a channel, on %s with a password", () => {
  let service: IngestService;
  let redis: RedisServer;
  let producer: Producer;
  let door: ApiDoor;
  let url = "";
  const bridges: BridgeProcess[] = [];

  beforeAll(async () => {
    [service, redis] = await Promise.all([startIngestService(), startRedis(["--requirepass", PASSWORD])]);
    url = redis.url.replace("redis://", `redis://:${PASSWORD}@`);
    producer = await openProducer(url);
    door = await openApiDoor(service.url);
  });
  afterAll(async () => {
    producer.destroy();
    await door.close();
    await Promise.all([redis.stop(), service.close()]);
  });
  afterEach(async () => {
    for (const running of bridges.splice(0)) await running.kill();
  });

  async function bridge(tenant: string, ...args: readonly string[]): Promise<BridgeProcess> {
    const key = await service.newKey(tenant);
    const started = await startBridge({ redisUrl: url, apiUrl: door.url, key, args: ["--channel", tenant, ...args] });
    bridges.push(started);
    await until(async () => (await producer.pubSubNumSub([tenant]))[tenant] === 1);
    return started;
  }

  it("delivers messages, also when the API does not reply at first, and drains on SIGTERM", async () => {
    const running = await bridge("heard");
    door.state = "deaf";
    for (let index = 0; index < 30; index += 1) await producer.publish("heard", documentMessage(`d${index}`));
    await until(() => door.unansweredCount > 0);
    door.state = "pass";
    await producer.publish("heard", documentMessage("last"));
    expect(await running.end()).toBe(0);
    const counts = await service.acceptedCounts("heard");
    expect([...counts.values()].every((count) => count === 1)).toBe(true);
    expect(counts.size).toBe(31);
  });

  it("keeps two messages apart that say the same: a document may return to what it said", async () => {
    const running = await bridge("returning");
    const texts = ["It is open from nine to five.", "It is closed for the winter.", "It is open from nine to five."];
    for (const text of texts) await producer.publish("returning", documentMessage("door", text));
    expect(await running.end()).toBe(0);
    expect(await service.textsOf("returning", "door")).toEqual(texts);
  });

  it("puts a malformed message into the dead letters and goes on", async () => {
    const running = await bridge("malformed", "--dead-letters", "letters");
    await producer.publish("malformed", "{");
    await producer.publish("malformed", documentMessage("good"));
    expect(await running.end()).toBe(0);
    expect((await service.acceptedCounts("malformed")).size).toBe(1);
    const letters = await producer.xRange("letters", "-", "+");
    expect(letters).toMatchObject([{ message: { from: "malformed", code: "message_not_json", message: "{" } }]);
  });

  it("subscribes again when Redis was away; what was said meanwhile is gone", async () => {
    const running = await bridge("away");
    await redis.kill();
    await redis.restart();
    await until(async () => (await producer.pubSubNumSub(["away"]).catch(() => ({ away: 0 })))["away"] === 1);
    await producer.publish("away", documentMessage("after"));
    expect(await running.end()).toBe(0);
    expect([...(await service.acceptedCounts("away")).keys()]).toEqual(["after"]);
  });

  it("never prints the password of the URL, neither while it runs nor when it is wrong or no URL at all", async () => {
    const running = await bridge("secret");
    expect(running.output()).toContain("redis://127.0.0.1");
    const outputs = [running.output()];
    const key = await service.newKey("secret");
    for (const redisUrl of [
      url.replace(PASSWORD, `${PASSWORD}-wrong`),
      `redis://:${PASSWORD}@[`,
      `http://:${PASSWORD}@h`,
    ]) {
      const refused = spawnBridge({ redisUrl, apiUrl: door.url, key, args: ["--channel", "secret"] });
      await expect(refused.event("bridge_started")).rejects.toThrow(/jeeves: (Redis refuses: WRONGPASS|REDIS_URL)/);
      outputs.push(refused.output());
    }
    for (const output of outputs) expect(output).not.toContain(PASSWORD);
  });
});
