import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { TurnLine } from "../src/engine/turn-line.ts";

test("a turn of the event loop does one piece, however many requests wait", async () => {
  const line = new TurnLine();
  let done = 0;
  const all = Promise.all(Array.from({ length: 16 }, () => line.run(() => (done += 1))));
  let before = 0;
  while (before < 16) {
    await setImmediate();
    expect(done - before).toBeLessThanOrEqual(1);
    before = done;
  }
  expect(await all).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
});

test("a piece that takes several turns holds the line, and one that fails lets the next one through", async () => {
  const line = new TurnLine();
  const order: string[] = [];
  const long = line.run(async () => {
    await setImmediate();
    await setImmediate();
    order.push("long");
    throw new Error("failed");
  });
  const next = line.run(() => order.push("next"));
  await expect(long).rejects.toThrow("failed");
  await next;
  expect(order).toEqual(["long", "next"]);
});
