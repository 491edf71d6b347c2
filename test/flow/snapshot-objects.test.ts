import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS } from "../../src/lib/base/durations.ts";
import { sha256HexSync } from "../../src/lib/base/hash.ts";
import type { SnapshotCheck } from "../../src/lib/contract/snapshot.ts";
import { checkPart } from "../../src/lib/flows/snapshots/check-snapshot.ts";
import { diffSnapshots } from "../../src/lib/flows/snapshots/diff-snapshots.ts";
import { performRemovals } from "../../src/lib/flows/snapshots/perform-removals.ts";
import { removeObjects } from "../../src/lib/flows/snapshots/remove-objects.ts";
import { SNAPSHOTS_KEPT } from "../../src/lib/flows/snapshots/snapshot-keys.ts";
import { rewriteObject } from "../../src/lib/wal/rewrite-object.ts";
import { expectOk, statement } from "../support/database.ts";
import { CrashPoint } from "./support/crashing.ts";
import { openSnapshots } from "./support/snapshots.ts";

/** Bounds the search for the last crash point. */
const CALLS_MAX = 60;
const NEVER = { isSpent: () => false, isDryRun: false };
const FROM_THE_FIRST = { after: "", heldCount: 0, heldBytes: 0 };

const {
  world,
  bucket,
  contextOf,
  clear,
  keysUnder,
  put,
  passTime,
  tick,
  idsOf,
  newest,
  manifestOf,
  namedBy,
  forgetSnapshots,
} = await openSnapshots();
beforeEach(clear);
afterAll(() => world.close());

/** A snapshot of this moment, as far as removals look at it. */
const putManifest = () =>
  bucket.put("snapshots/hourly/20260101T000000Z.json", "{}", {
    customMetadata: { begun_at: new Date().toISOString() },
  });

/** All of a snapshot against the bucket, as one check. */
async function checkAll(id: string, takesBack = false): Promise<SnapshotCheck> {
  const manifest = await manifestOf("hourly", id);
  expect(manifest.parts).toHaveLength(1);
  return expectOk(await checkPart(contextOf(), { manifest, position: 0, takesBack }));
}

describe("removing objects", () => {
  it("removes at once what no snapshot names, and counts what is not there", async () => {
    await put("wal/a/1.mpz");
    await put("wal/a/2.mpz");
    const removed = await removeObjects(world.context(), ["wal/a/1.mpz", "wal/a/2.mpz", "wal/a/none.mpz"], "packed");
    expect(expectOk(removed)).toEqual({ removedCount: 3, keptCount: 0 });
    expect(await keysUnder("wal/")).toEqual([]);
    expect(await keysUnder("removals/")).toEqual([]);
  });

  it("keeps what a snapshot names, and marks it with its reason", async () => {
    await put("wal/a/1.mpz", "hello");
    await putManifest();
    await passTime();
    await put("wal/a/2.mpz");
    const removed = await removeObjects(world.context(), ["wal/a/1.mpz", "wal/a/2.mpz"], "packed");
    expect(expectOk(removed)).toEqual({ removedCount: 1, keptCount: 1 });
    expect(await keysUnder("wal/")).toEqual(["wal/a/1.mpz"]);
    expect(await keysUnder("removals/")).toEqual(["removals/wal/a/1.mpz"]);
    const marker = await bucket.head("removals/wal/a/1.mpz");
    expect(marker?.customMetadata).toMatchObject({ why: "packed", size_bytes: "5" });
  });

  it("keeps everything while a listing is under way", async () => {
    await bucket.put("snapshots/begun/20260101T000000Z.json", "{}");
    await put("wal/a/1.mpz");
    const removed = await removeObjects(world.context(), ["wal/a/1.mpz"], "packed");
    expect(expectOk(removed)).toEqual({ removedCount: 0, keptCount: 1 });
  });

  it("leaves the first marker where it is removed again", async () => {
    await put("wal/a/1.mpz");
    await putManifest();
    await removeObjects(world.context(), ["wal/a/1.mpz"], "first");
    const again = await removeObjects(world.context(), ["wal/a/1.mpz", "wal/a/1.mpz"], "second");
    expect(expectOk(again)).toEqual({ removedCount: 0, keptCount: 1 });
    expect((await bucket.head("removals/wal/a/1.mpz"))?.customMetadata?.["why"]).toBe("first");
  });

  it("keeps what was written anew in its place after the snapshot: the snapshot names its first form", async () => {
    await put("wal/a/1.mpz");
    const first = await bucket.head("wal/a/1.mpz");
    await putManifest();
    await passTime();
    const createdAt = first?.uploaded.toISOString() ?? "";
    await bucket.put("wal/a/1.mpz", "anew", { customMetadata: { created_at: createdAt } });
    expect(expectOk(await removeObjects(world.context(), ["wal/a/1.mpz"], "packed")).keptCount).toBe(1);
  });

  it("takes more keys than one call of R2", async () => {
    const keys = Array.from({ length: 1_001 }, (_, index) => `wal/a/${String(index).padStart(4, "0")}.mpz`);
    await put("wal/a/0000.mpz");
    await put("wal/a/1000.mpz");
    expect(expectOk(await removeObjects(world.context(), keys, "packed")).removedCount).toBe(1_001);
    expect(await keysUnder("wal/")).toEqual([]);
  });

  it("leaves object and marker, or neither, wherever it crashes; repeated, it ends the same", async () => {
    for (const isHeld of [false, true]) {
      let isThrough = false;
      for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += 1) {
        for (const moment of ["before", "after"] as const) {
          await put("wal/a/1.mpz");
          if (isHeld) await putManifest();
          const crash = new CrashPoint({ callIndex, moment });
          await removeObjects(world.context(crash), ["wal/a/1.mpz"], "packed");
          isThrough = !crash.hasCrashed;
          if (isHeld) expect(await keysUnder("wal/")).toHaveLength(1);
          await removeObjects(world.context(), ["wal/a/1.mpz"], "packed");
          expect(await keysUnder("wal/")).toHaveLength(isHeld ? 1 : 0);
        }
      }
      expect(isThrough).toBe(true);
    }
  });
});

describe("an object that is removed", () => {
  it("stays while one of the 24 hourly, 14 daily and 8 weekly snapshots names it, is in no later one, and goes when the last one went", async () => {
    world.nowMs = Date.UTC(2026, 0, 5);
    await put("wal/a/1.mpz", "hello");
    await put("wal/a/2.mpz");
    await tick();
    const first = await newest();
    expect(expectOk(await removeObjects(contextOf(), ["wal/a/1.mpz"], "packed")).keptCount).toBe(1);
    for (let week = 1; week < SNAPSHOTS_KEPT.hourly; week += 1) {
      world.nowMs += 7 * DAY_MS;
      expect(await tick()).toMatchObject({ removedCount: 0, heldCount: 1, heldBytes: 5 });
      if (week === 1) expect(await namedBy("hourly", await newest())).not.toContain("wal/a/1.mpz");
    }
    expect(await idsOf("hourly")).toContain(first);
    const kinds = ["hourly", "daily", "weekly"] as const;
    expect((await Promise.all(kinds.map(idsOf))).map(({ length }) => length)).toEqual([24, 14, 8]);
    expect(await keysUnder("wal/")).toEqual(["wal/a/1.mpz", "wal/a/2.mpz"]);
    // The next snapshots may have begun in the second of the removal, by which the clocks of R2 may differ: then they hold the object too.
    for (let more = 0; more < 5 && (await keysUnder("removals/")).length > 0; more += 1) {
      world.nowMs += 7 * DAY_MS;
      await tick();
    }
    expect(await keysUnder("wal/")).toEqual(["wal/a/2.mpz"]);
    expect(await keysUnder("removals/")).toEqual([]);
    const ids = await Promise.all(kinds.map(idsOf));
    const parts = new Set((await keysUnder("snapshots/parts/")).map((key) => key.split("/")[2] ?? ""));
    expect(parts).toEqual(new Set(ids.flat()));
  });

  it("is left alone where something else lies under its key by then", async () => {
    await put("wal/a/1.mpz");
    await tick();
    await removeObjects(contextOf(), ["wal/a/1.mpz"], "packed");
    await passTime();
    await put("wal/a/1.mpz", "another");
    await forgetSnapshots();
    expect((await performRemovals(bucket, FROM_THE_FIRST, NEVER)).removedCount).toBe(0);
    expect(await keysUnder("removals/")).toEqual([]);
    expect(await keysUnder("wal/")).toEqual(["wal/a/1.mpz"]);
  });

  it("is gone at once where a person is erased, and the snapshot says so", async () => {
    await put("segments/a/ann/s/000000000001-x.seg");
    await put("segments/a/bob/s/000000000001-x.seg");
    await tick();
    await removeObjects(contextOf(), ["segments/a/ann/s/000000000001-x.seg"], "packed");
    await bucket.delete("segments/a/ann/s/000000000001-x.seg");
    await bucket.put(`erasures/a/${sha256HexSync("ann")}-20261125T220000000Z.json`, "{}");
    await bucket.delete("segments/a/bob/s/000000000001-x.seg");
    expect((await checkAll(await newest())).named).toEqual([
      { key: "segments/a/ann/s/000000000001-x.seg", state: "erased" },
      { key: "segments/a/bob/s/000000000001-x.seg", state: "missing" },
    ]);
    await forgetSnapshots();
    await performRemovals(bucket, FROM_THE_FIRST, NEVER);
    expect(await keysUnder("removals/")).toEqual([]);
  });
});

describe("a snapshot against the bucket", () => {
  it("names what was written anew by an erasure, overwritten and lost, and sessions that were erased alone", async () => {
    const walId = await world.ingest("a", [{ id: "one", text: "The wing of the jet bends in the wind." }]);
    const [walKey = ""] = (await keysUnder("wal/")).filter((key) => key.includes(walId));
    for (const key of ["packs/a/1.mpz", "packs/a/2.mpz", "segments/a/ann/s1/1.seg"]) await put(key);
    await tick();
    const id = await newest();
    expect(await checkAll(id)).toMatchObject({ changed: 0, erased: 0, missing: 0, held: 0, next_part: null });
    expectOk(await rewriteObject(bucket, walKey, (document) => ({ ...document, text: null, verdict: "rejected" })));
    await put("packs/a/1.mpz", "overwritten");
    await bucket.delete(["packs/a/2.mpz", "segments/a/ann/s1/1.seg"]);
    const erased = `insert into sessions (tenant_id, user_id, session_id, erased_at) values ('a', 'ann', 's1', now() + interval '1 minute')`;
    expectOk(await world.database.ownerSql.transaction({ tenantId: "a", userId: "*" }, [statement(erased)]));
    expect((await checkAll(id)).named).toEqual([
      { key: "packs/a/1.mpz", state: "changed" },
      { key: "packs/a/2.mpz", state: "missing" },
      { key: "segments/a/ann/s1/1.seg", state: "erased" },
      { key: walKey, state: "erased" },
    ]);
  });

  it("brings back what was removed and is still held, so that it stays when the snapshot goes", async () => {
    await put("wal/a/1.mpz");
    await put("wal/a/2.mpz");
    await tick();
    const id = await newest();
    await removeObjects(contextOf(), ["wal/a/1.mpz", "wal/a/2.mpz"], "packed");
    expect(await checkAll(id)).toMatchObject({ held: 2, missing: 0, taken_back: false });
    expect(await checkAll(id, true)).toMatchObject({ held: 2, taken_back: true });
    expect(await checkAll(id)).toMatchObject({ held: 0, missing: 0 });
    await forgetSnapshots();
    await performRemovals(bucket, FROM_THE_FIRST, NEVER);
    expect(await keysUnder("wal/")).toEqual(["wal/a/1.mpz", "wal/a/2.mpz"]);
  });

  it("is told apart from another: added, removed, changed", async () => {
    world.nowMs = Date.UTC(2026, 0, 5);
    for (const key of ["wal/a/1.mpz", "wal/a/2.mpz", "wal/a/3.mpz"]) await put(key);
    await tick();
    await bucket.delete("wal/a/1.mpz");
    await put("wal/a/2.mpz", "otherwise");
    await put("wal/a/4.mpz", "four");
    world.nowMs += HOUR_MS;
    await tick();
    const [before, later] = await Promise.all((await idsOf("hourly")).map((id) => manifestOf("hourly", id)));
    if (before === undefined || later === undefined) throw new Error("there are two snapshots");
    const diff = expectOk(await diffSnapshots(bucket, { before, later, after: "" }));
    expect(diff).toEqual({
      changes: [
        { change: "removed", key: "wal/a/1.mpz", before_bytes: 11, later_bytes: null },
        { change: "changed", key: "wal/a/2.mpz", before_bytes: 11, later_bytes: 9 },
        { change: "added", key: "wal/a/4.mpz", before_bytes: null, later_bytes: 4 },
      ],
      next_after: null,
    });
    const rest = expectOk(await diffSnapshots(bucket, { before, later, after: "wal/a/2.mpz" }));
    expect(rest.changes.map(({ key }) => key)).toEqual(["wal/a/4.mpz"]);
    const [part] = later.parts;
    if (part === undefined) throw new Error("a snapshot has a part");
    await bucket.put(part.key, "damaged");
    expect(await diffSnapshots(bucket, { before, later, after: "" })).toMatchObject({ error: { code: "conflict" } });
  });
});
