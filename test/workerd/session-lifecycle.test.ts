import { describe, expect, it } from "vitest";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import { suiteEnv } from "./support/worker.ts";
import { event, LogWorld } from "./support/log-world.ts";

async function openWorld(): Promise<LogWorld> {
  const world = new LogWorld();
  await world.open();
  return world;
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);
const events = (first: number, last: number) => range(first, last).map((seq) => event(seq));

describe("a micro-batch", () => {
  it("waits for its time, and not when it is full", async () => {
    const world = await openWorld();
    await world.append(events(1, 99));
    await world.work();
    expect(world.embedMessages).toEqual([]);
    await world.append(events(100, 100));
    await world.work();
    expect((await world.walObjects())[0]?.documents).toHaveLength(100);
  });

  it("holds a request whole, and a request that would overflow it begins another", async () => {
    const world = await openWorld();
    const small = await world.append(events(1, 50));
    const large = await world.append(events(51, 1_020));
    expect(large).toMatchObject({ ok: true, ack: 1_020 });
    expect(large.ok && small.ok && large.token !== small.token).toBe(true);
    await world.work();
    expect((await world.walObjects()).map(({ documents }) => documents.length).toSorted((a, b) => a - b)).toEqual([
      50, 970,
    ]);
  });

  it("gives an event the two turns before it, over the borders of batches and segments", async () => {
    const world = await openWorld();
    await world.append([event(1, { said: "Shall we meet on Friday?" })]);
    world.nowMs += 1_000;
    await world.work();
    await world.askForSeal();
    await world.work();
    await world.append([
      event(2, { said: "Yes, at the library." }),
      event(3, { said: "x".repeat(3_000) }),
      event(4),
      event(5),
    ]);
    world.nowMs += 1_000;
    await world.work();
    const contexts = (await world.walObjects()).flatMap(({ documents }) => documents.map(({ context }) => context));
    expect(contexts.slice(0, 3)).toEqual([
      undefined,
      "user: Shall we meet on Friday?",
      "user: Shall we meet on Friday?\nuser: Yes, at the library.",
    ]);
    expect(contexts.every((context) => (context?.length ?? 0) <= 2_000)).toBe(true);
  });

  it("does not keep a duplicate whose original is in another object", async () => {
    const world = await openWorld();
    await world.append([event(1)]);
    world.nowMs += 1_000;
    await world.work();
    const of = (documentId: string) => ({
      verdict: "duplicate" as const,
      reasons: [{ code: "duplicate_exact" }],
      curation: { duplicate_of: { document_id: documentId, normalised_hash: "0".repeat(64) } },
    });
    await world.append([event(1), event(2, of("s/1")), event(3, of("s/2"))]);
    world.nowMs += 1_000;
    await world.work();
    const verdicts = (await world.walObjects()).flatMap(({ documents }) => documents.map(({ verdict }) => verdict));
    expect(verdicts).toEqual(["accepted", "accepted", "duplicate"]);
  });

  it("waits while R2 is down, and past the bound of the backlog events are refused", async () => {
    const world = await openWorld();
    const said = "A long story about the library and the meeting. ".repeat(5_000);
    let seq = 0;
    let refusedAt = 0;
    for (let request = 0; request < 20 && refusedAt === 0; request += 1) {
      const batch = range(seq + 1, seq + 10).map((each) => event(each, { said: `${each} ${said}` }));
      const outcome = await world.append(batch);
      if (!outcome.ok) {
        expect(outcome.code).toBe("session_backlogged");
        refusedAt = seq;
      } else seq += 10;
    }
    expect(refusedAt * said.length).toBeGreaterThan(32 * 1024 * 1024);
    await world.work();
    expect(await world.append([event(seq + 1)])).toMatchObject({ ok: true, ack: seq + 1 });
  });
});

describe("a segment", () => {
  it("is sealed when its log is large enough, up to what was sent; later events go into the next", async () => {
    const world = await openWorld();
    world.settings = { ...world.settings, rotateBytes: 1_000 };
    await world.append(events(1, 20));
    world.nowMs += 1_000;
    await world.work();
    await world.append(events(21, 40));
    world.nowMs += 1_000;
    await world.work();
    expect(await world.segmentSeqs()).toEqual([range(1, 20), range(21, 40)]);
    const description = await world.describe();
    expect(description?.seqs).toMatchObject({ durable: 40, queued: 40, sealed: 40 });
    expect(description?.segments.map(({ firstSeq, lastSeq, eventCount }) => [firstSeq, lastSeq, eventCount])).toEqual([
      [1, 20, 20],
      [21, 40, 20],
    ]);
  });

  it("is sealed when its first event is old enough, though events keep coming", async () => {
    const world = await openWorld();
    let seq = 0;
    for (let minute = 0; minute <= 11; minute += 1) {
      await world.append([event((seq += 1))]);
      world.nowMs += MINUTE_MS;
      await world.work();
    }
    expect(await world.segmentSeqs()).toEqual([range(1, 10)]);
    expect((await world.describe())?.state).toBe("open");
  });

  it("takes the asked seqs though they are not sent yet, and is none where every event was refused", async () => {
    const world = await openWorld();
    await world.append([event(1, { verdict: "rejected", text: null, occurred_at_ms: null })]);
    await world.askForSeal();
    expect((await world.describe())?.state).toBe("sealing");
    await world.work();
    expect(await world.segmentSeqs()).toEqual([]);
    expect(await world.describe()).toMatchObject({ state: "open", seqs: { sealed: 1 }, segments: [] });
    expect(await world.append([event(1)])).toMatchObject({ events: [{ status: "repeated", verdict: null }] });
  });

  it("is announced again until somebody has registered it", async () => {
    const world = await openWorld();
    await world.append([event(1)]);
    await world.askForSeal();
    await world.work();
    expect(world.sealMessages).toHaveLength(1);
    await world.work();
    expect(world.sealMessages).toHaveLength(1);
    world.nowMs += 5 * MINUTE_MS;
    await world.work();
    expect(world.sealMessages).toHaveLength(2);
    await world.register(1);
    world.nowMs += 5 * MINUTE_MS;
    await world.work();
    expect(world.sealMessages).toHaveLength(2);
    expect((await world.describe())?.segments[0]?.registered).toBe(true);
  });
});

describe("an erased event", () => {
  it("leaves no text in the WAL, in the context of others or in the segment, and does not come back", async () => {
    const world = await openWorld();
    await world.append([event(1, { said: "My secret is the yellow parrot." }), event(2), event(3)]);
    expect(await world.eraseEvent(1)).toBe(true);
    await world.askForSeal();
    await world.work();
    expect(JSON.stringify(await world.walObjects())).not.toContain("parrot");
    expect((await world.walObjects())[0]?.documents[0]).toMatchObject({
      verdict: "rejected",
      reasons: [{ code: "erased" }],
    });
    expect(await world.segmentSeqs()).toEqual([[2, 3]]);
    expect(await world.append([event(1, { said: "My secret is the yellow parrot." })])).toMatchObject({
      events: [{ status: "repeated" }],
    });
    expect(await world.eraseEvent(1)).toBe(false);
  });

  it("is not the context of an event that comes after it was sent", async () => {
    const world = await openWorld();
    await world.append([event(1, { said: "My secret is the yellow parrot." })]);
    world.nowMs += 1_000;
    await world.work();
    await world.eraseEvent(1);
    await world.append([event(2)]);
    world.nowMs += 1_000;
    await world.work();
    expect((await world.walObjects())[1]?.documents[0]?.context).toBeUndefined();
  });

  it("makes a segment that is being written start again, without it", async () => {
    const world = await openWorld();
    const said = "A long story about the library and the meeting. ".repeat(4_000);
    await world.append(range(1, 30).map((seq) => event(seq, { said: `${seq} ${said}` })));
    await world.askForSeal();
    let isErased = false;
    await world.work(undefined, async () => {
      if (!isErased) isErased = await world.eraseEvent(7);
    });
    expect(isErased).toBe(true);
    expect((await world.describe())?.seqs.sealed).toBe(0);
    await world.askForSeal();
    await world.work();
    expect(await world.segmentSeqs()).toEqual([range(1, 30).filter((seq) => seq !== 7)]);
  });
});

describe("a session", () => {
  it("without events for a while sends, seals and gives its lease back; opened again it goes on", async () => {
    const world = await openWorld();
    await world.append(events(1, 3));
    world.nowMs += 5 * MINUTE_MS;
    await world.work();
    expect(await world.segmentSeqs()).toEqual([[1, 2, 3]]);
    expect(world.released).toHaveLength(1);
    expect((await world.describe())?.state).toBe("closed");
    expect(await world.append([event(4)])).toEqual({ ok: false, code: "session_closed" });
    expect(await world.open()).toMatchObject({ nextSeq: 4 });
    expect(await world.append([event(4)])).toMatchObject({ ok: true, ack: 4 });
  });

  it("renews its lease while events come, keeps it through an outage of the gate, and closes when it is gone", async () => {
    const world = await openWorld();
    world.settings = { ...world.settings, idleMs: 100 * MINUTE_MS };
    await world.append([event(1)]);
    world.nowMs += 8 * MINUTE_MS;
    world.renewal = new Error("the gate is down");
    expect(await world.work()).toBe(false);
    world.renewal = { expiresAtMs: world.nowMs + 15 * MINUTE_MS };
    expect(await world.work()).toBe(true);
    expect((await world.describe())?.leaseExpiresAtMs).toBe(world.nowMs + 15 * MINUTE_MS);
    world.nowMs += 10 * MINUTE_MS;
    world.renewal = { gone: true };
    await world.work();
    expect((await world.describe())?.state).toBe("closed");
    expect(await world.segmentSeqs()).toEqual([[1]]);
  });

  it("takes no events when its lease is over, whether it knows or not", async () => {
    const world = await openWorld();
    world.nowMs += 16 * MINUTE_MS;
    expect(await world.append([event(1)])).toEqual({ ok: false, code: "session_closed" });
    expect(await new LogWorld().append([event(1)])).toEqual({ ok: false, code: "session_unknown" });
  });

  it("leaves only its own objects in the bucket", async () => {
    const world = await openWorld();
    await world.append([event(1)]);
    await world.askForSeal();
    await world.work();
    const { objects } = await suiteEnv().BUCKET.list();
    const own = objects.map(({ key }) => key).filter((key) => key.includes(world.session.tenantId));
    expect(own.map((key) => key.split("/", 1)[0])).toEqual(["segments", "wal"]);
  });
});
