import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { SelfTestOutcome } from "../src/engine/self-test.ts";
import { judgeReadiness } from "../src/http/readiness.ts";
import { SelfCheck } from "../src/self-check.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const PASSED: SelfTestOutcome = { ran: true, fault: undefined };
const WRONG: SelfTestOutcome = { ran: true, fault: "vectors do not follow meaning" };
const NOT_RUN: SelfTestOutcome = { ran: false, fault: undefined };

test("the test goes on at its interval: a device that went bad is seen and reported, and so is one that is well again", async () => {
  const outcomes = [PASSED, WRONG, NOT_RUN, PASSED];
  const faults: string[] = [];
  const check = new SelfCheck({
    test: async () => outcomes.shift() ?? PASSED,
    nowMs: () => Date.now(),
    intervalMs: 1_000,
    onFault: (fault) => faults.push(fault),
  });
  expect(await check.run()).toBeUndefined();
  check.start();
  await vi.advanceTimersByTimeAsync(400);
  expect(check.state).toEqual({ fault: undefined, ageMs: 400 });
  await vi.advanceTimersByTimeAsync(600);
  expect(check.state).toEqual({ fault: WRONG.fault, ageMs: 0 });
  // a full queue let no test in: the last outcome stands and ages
  await vi.advanceTimersByTimeAsync(1_000);
  expect(check.state).toEqual({ fault: WRONG.fault, ageMs: 1_000 });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(check.state).toEqual({ fault: undefined, ageMs: 0 });
  expect(faults).toContain(WRONG.fault);
  check.stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(check.state.ageMs).toBe(5_000);
});

test("faults in a row say that the process is broken; a passed test between them, or one that found no room, does not count", async () => {
  const outcomes = [WRONG, WRONG, PASSED, WRONG, NOT_RUN, WRONG, WRONG];
  const check = new SelfCheck({
    test: async () => outcomes.shift() ?? PASSED,
    nowMs: () => Date.now(),
    intervalMs: 1_000,
    onFault: () => undefined,
  });
  let isBroken = false;
  void check.broken.then(() => (isBroken = true));
  for (let run = 0; run < 6; run += 1) await check.run();
  expect(isBroken).toBe(false);
  await check.run();
  await check.broken;
  expect(isBroken).toBe(true);
});

test("a server that never passed its test is not ready, nor is one that stops or lacks a thread", () => {
  const facts = {
    stopping: false,
    provider: "cpu",
    device: "cpu",
    selfTest: { fault: undefined, ageMs: 0 },
    sessionsAlive: 3,
    sessionsWanted: 3,
  };
  expect(judgeReadiness(facts).reason).toBeUndefined();
  expect(judgeReadiness({ ...facts, selfTest: { fault: "x", ageMs: 0 } }).reason).toBe("self_test_failed");
  expect(judgeReadiness({ ...facts, sessionsAlive: 2 }).reason).toBe("inference_thread_missing");
  expect(judgeReadiness({ ...facts, stopping: true, sessionsAlive: 0 }).reason).toBe("shutting_down");
});
