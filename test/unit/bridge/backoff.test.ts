import { describe, expect, it } from "vitest";
import { backoffMs, retryAfterMs } from "../../../src/bridge/backoff.ts";
import { createBridgeLog } from "../../../src/bridge/bridge-log.ts";
import { InFlight } from "../../../src/bridge/in-flight.ts";

describe("waiting", () => {
  it("doubles up to the longest wait, and lies in the upper half of it", () => {
    expect([1, 2, 3, 20].map((failures) => backoffMs(failures, 5_000, 1))).toEqual([200, 400, 800, 5_000]);
    expect([1, 2, 3, 20].map((failures) => backoffMs(failures, 5_000, 0))).toEqual([100, 200, 400, 2_500]);
  });

  it.each([
    [null, undefined],
    ["3", 3_000],
    ["0", 0],
    ["999999", 600_000],
    ["Thu, 01 Jan 1970 00:00:10 GMT", 9_000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0],
    ["soon", undefined],
  ])("reads Retry-After %s as %s ms", (header, waitMs) => {
    expect(retryAfterMs(header, 1_000)).toBe(waitMs);
  });
});

describe("requests in flight", () => {
  it("are so many at a time, and never two with one document", async () => {
    const inFlight = new InFlight(2);
    const ends: (() => void)[] = [];
    const started: string[] = [];
    const start = (name: string, ...keys: readonly string[]): Promise<void> =>
      inFlight.start(new Set(keys), () => {
        started.push(name);
        return new Promise((resolve) => ends.push(resolve));
      });
    await start("first", "a", "b");
    const second = start("second", "b");
    await Promise.resolve();
    expect(started).toEqual(["first"]);
    ends[0]?.();
    await second;
    await start("third", "c");
    expect(inFlight.isFull).toBe(true);
    const fourth = start("fourth", "d");
    await Promise.resolve();
    expect(started).toEqual(["first", "second", "third"]);
    for (const end of ends.splice(0)) end();
    await fourth;
    for (const end of ends) end();
    await inFlight.settled();
    expect(inFlight.isFull).toBe(false);
  });
});

describe("the log", () => {
  it("tells a reason that repeats once in ten seconds, and other events each time", () => {
    const lines: string[] = [];
    let nowMs = 0;
    const log = createBridgeLog({ isJson: false, clock: () => nowMs, write: (line) => void lines.push(line) });
    for (nowMs = 0; nowMs <= 10_000; nowMs += 1_000) log.event("redis_failed", { reason: "ECONNREFUSED" });
    log.event("health", { pending: 0 });
    log.event("health", { pending: 0 });
    expect(lines.map((line) => line.split(" ").slice(1).join(" "))).toEqual([
      "redis_failed reason=ECONNREFUSED",
      "redis_failed reason=ECONNREFUSED",
      "health pending=0",
      "health pending=0",
    ]);
  });
});
