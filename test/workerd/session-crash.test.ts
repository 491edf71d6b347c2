import { describe, expect, it } from "vitest";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { suiteEnv } from "./support/worker.ts";
import { event, LogWorld } from "./support/log-world.ts";
import { CrashPoint } from "../flow/support/crashing.ts";

/** Calls that one run may make: more than any of them makes. */
const CALLS_MAX = 40;

/** Runs the work once for every call it makes, crashing before or after that call, until it makes none that is new. */
async function atEveryCrash(
  moment: "before" | "after",
  run: (crash: CrashPoint) => Promise<void>,
): Promise<{ readonly crashCount: number }> {
  for (let callIndex = 0; callIndex < CALLS_MAX; callIndex += 1) {
    const crash = new CrashPoint({ callIndex, moment });
    await run(crash);
    if (!crash.hasCrashed) return { crashCount: callIndex };
  }
  throw new Error("the work makes more calls than the test allows");
}

describe.each(["before", "after"] as const)("a crash %s any call", (moment) => {
  it("of a micro-batch leaves every event in exactly one WAL object, under the token that was given", async () => {
    const { crashCount } = await atEveryCrash(moment, async (crash) => {
      const world = new LogWorld();
      await world.open();
      const events = [1, 2, 3].map((seq) =>
        event(seq, seq === 2 ? { verdict: "quarantined", reasons: [{ code: "x" }] } : {}),
      );
      const appended = await world.append(events);
      world.nowMs += 1_000;
      await world.work(crash);
      // More comes between the crash and the next alarm, and is another batch.
      await world.append([event(4)]);
      world.nowMs += 1_000;
      expect(await world.work()).toBe(true);
      const objects = await world.walObjects();
      expect(objects.map(({ documents }) => documents.map((document) => document.document_id))).toEqual([
        ["s/1", "s/2", "s/3"],
        ["s/4"],
      ]);
      expect(objects[0]).toMatchObject({ wal_id: appended.ok && appended.token, origin: "session" });
      expect(objects[0]?.documents[1]).toMatchObject({ text: null, curation: { held: { range_index: 0 } } });
      expect(objects[1]?.documents[0]?.context).toBe(
        "user: The meeting number 1 is in the library.\nuser: The meeting number 3 is in the library.",
      );
      expect(new Set(world.embedMessages.map((message) => message.wal_id))).toEqual(
        new Set(objects.map((each) => each.wal_id)),
      );
      expect((await world.describe())?.seqs).toMatchObject({ durable: 4, queued: 4 });
    });
    expect(crashCount).toBeGreaterThanOrEqual(3);
  });

  it("of a seal leaves one whole segment, announced, and nothing behind in the log", async () => {
    const { crashCount } = await atEveryCrash(moment, async (crash) => {
      const world = new LogWorld();
      await world.open();
      await world.append([event(1), event(2, { verdict: "rejected", text: null, occurred_at_ms: null }), event(3)]);
      world.nowMs += 1_000;
      await world.work();
      await world.askForSeal();
      await world.work(crash);
      await world.append([event(4)]);
      world.nowMs += 400;
      expect(await world.work()).toBe(true);
      expect(await world.segmentSeqs()).toEqual([[1, 3]]);
      world.nowMs += 6 * MINUTE_MS;
      await world.work();
      const [message] = world.sealMessages;
      expect(message).toMatchObject({ first_seq: 1, last_seq: 3, event_count: 2 });
      expect(await suiteEnv().BUCKET.head(message?.object_key ?? "")).not.toBeNull();
      expect(new Set(world.sealMessages.map(({ first_seq: first }) => first)).has(1)).toBe(true);
    });
    expect(crashCount).toBeGreaterThanOrEqual(2);
  });

  it("of a multipart upload leaves one whole segment of several parts", async () => {
    const said = "A long story about the library and the meeting. ".repeat(4_000);
    const { crashCount } = await atEveryCrash(moment, async (crash) => {
      const world = new LogWorld();
      await world.open();
      await world.append(Array.from({ length: 30 }, (_, index) => event(index + 1, { said: `${index} ${said}` })));
      world.nowMs += 1_000;
      expect(await world.work()).toBe(true);
      await world.askForSeal();
      await world.work(crash);
      expect(await world.work()).toBe(true);
      expect(await world.segmentSeqs()).toEqual([Array.from({ length: 30 }, (_, index) => index + 1)]);
      expect((await world.describe())?.segments[0]?.sizeBytes).toBeGreaterThan(5 * 1024 * 1024);
    });
    expect(crashCount).toBeGreaterThanOrEqual(5);
  });
});
