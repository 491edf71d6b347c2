import type { R2Bucket, R2ListOptions } from "@cloudflare/workers-types";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import type { JobGauge } from "../../src/lib/flows/jobs/job.ts";
import { removeObjects } from "../../src/lib/flows/snapshots/remove-objects.ts";
import { SNAPSHOT_JOB } from "../../src/lib/flows/snapshots/snapshot-job.ts";
import { takeSnapshot } from "../../src/lib/flows/snapshots/take-snapshot.ts";
import { expectOk, statement } from "../support/database.ts";
import { CrashPoint } from "./support/crashing.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openSnapshots } from "./support/snapshots.ts";

/** Bounds the search for the last crash point. */
const CALLS_MAX = 60;
const NEVER = { isSpent: () => false, isDryRun: false };

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

describe("the snapshot job", () => {
  it("takes what is due once, whatever the ticks do: doubled, missed, or with a clock that jumps back", async () => {
    world.nowMs = Date.UTC(2026, 10, 25, 22, 0, 3);
    await put("wal/a/1.mpz");
    expect((await tick()).taken).toMatchObject({
      id: "20261125T220000Z",
      kinds: ["hourly", "daily", "weekly"],
      state: "complete",
      partCount: 1,
    });
    expect((await tick()).taken.state).toBe("none_due");
    world.nowMs += 5 * HOUR_MS;
    expect((await tick()).taken).toMatchObject({ id: "20261126T030000Z", kinds: ["hourly", "daily"] });
    world.nowMs -= 5 * HOUR_MS;
    expect((await tick()).taken.state).toBe("none_due");
    expect(await idsOf("hourly")).toEqual(["20261125T220000Z", "20261126T030000Z"]);
    expect(await idsOf("daily")).toEqual(["20261125T220000Z", "20261126T030000Z"]);
    expect(await idsOf("weekly")).toEqual(["20261125T220000Z"]);
  });

  it("names the truth in order of keys, with the database's watermark and the newest whole backup", async () => {
    for (const key of [
      "wal/b/2.mpz",
      "packs/a/1.mpz",
      "job_reports/x.json",
      "idempotency/a/1",
      "backups/1/manifest.json",
    ])
      await put(key);
    await put("backups/2/a/documents-1.mpz");
    await tick();
    const id = await newest();
    expect(await namedBy("hourly", id)).toEqual(
      expect.arrayContaining([
        "backups/1/manifest.json",
        "backups/2/a/documents-1.mpz",
        "packs/a/1.mpz",
        "wal/b/2.mpz",
      ]),
    );
    const named = await namedBy("hourly", id);
    expect(named).toEqual(named.toSorted());
    expect(named.some((key) => key.startsWith("job_reports/") || key.startsWith("idempotency/"))).toBe(false);
    const { watermarks, backup_key: backupKey } = await manifestOf("hourly", id);
    expect(backupKey).toBe("backups/1/manifest.json");
    expect(watermarks).toMatchObject([{ database: "home", time: expect.any(String), wal_lsn: expect.any(String) }]);
  });

  it("lists more objects than one page, and goes on where a run had to stop", async () => {
    const keys = Array.from({ length: 1_003 }, (_, index) => `wal/a/${String(index).padStart(4, "0")}.mpz`);
    await Promise.all(keys.map((key) => put(key, "")));
    const others = (await keysUnder("models/")).length;
    const hurried = { isSpent: () => true, isDryRun: false };
    expect((await takeSnapshot(contextOf(), hurried)).state).toBe("listing");
    let looks = 0;
    const one = { isSpent: () => (looks += 1) > 1, isDryRun: false };
    expect(await takeSnapshot(contextOf(), one)).toMatchObject({ state: "listing", partCount: 1 });
    expect(await idsOf("hourly")).toEqual([]);
    expect(await takeSnapshot(contextOf(), NEVER)).toMatchObject({ state: "complete", objectCount: 1_003 + others });
    expect((await namedBy("hourly", await newest())).filter((key) => key.startsWith("wal/"))).toEqual(keys);
  });

  it("measures the newest of each kind, and what waits for a snapshot to go", async () => {
    world.nowMs = Date.UTC(2026, 0, 5, 7, 30);
    await put("wal/a/1.mpz", "hello");
    await tick();
    expectOk(await removeObjects(contextOf(), ["wal/a/1.mpz"], "packed"));
    const measured: JobGauge[] = [];
    const onMeasured = (gauges: readonly JobGauge[]): void => void measured.push(...gauges);
    expectOk(await runTicked(contextOf(), SNAPSHOT_JOB, { onMeasured }));
    const newestAt = Date.UTC(2026, 0, 5, 7) / 1000;
    expect(measured).toEqual([
      { name: "snapshot_newest_timestamp_seconds", labels: { kind: "hourly" }, value: newestAt },
      { name: "snapshot_newest_timestamp_seconds", labels: { kind: "daily" }, value: newestAt },
      { name: "snapshot_newest_timestamp_seconds", labels: { kind: "weekly" }, value: newestAt },
      { name: "snapshot_held_objects", labels: {}, value: 1 },
      { name: "snapshot_held_bytes", labels: {}, value: 5 },
    ]);
  });

  it("says in a dry run what it would do, and writes nothing", async () => {
    await put("wal/a/1.mpz");
    const before = await keysUnder("");
    expect((await tick({ isDryRun: true })).taken).toMatchObject({
      state: "due",
      kinds: ["hourly", "daily", "weekly"],
    });
    expect(await keysUnder("")).toEqual(before);
  });
});

describe("a listing while others write", () => {
  /** The bucket, in which something happens before each listing of a prefix. */
  function disturbed(happens: (prefix: string) => Promise<void>): R2Bucket {
    return new Proxy(bucket, {
      get(target, name) {
        if (name !== "list") {
          const member: unknown = Reflect.get(target, name);
          return typeof member === "function" ? member.bind(target) : member;
        }
        return async (options: R2ListOptions) => {
          await happens(options.prefix ?? "");
          return target.list(options);
        };
      },
    });
  }

  it("names everything that was there when it began, though it was removed on the way, and holds it", async () => {
    await put("packs/a/0.mpz");
    await put("wal/a/1.mpz");
    await put("wal/a/2.mpz");
    let isMoved = false;
    const moving = disturbed(async (prefix) => {
      // Packs have been listed: a pack job writes one and removes what it holds now.
      if (prefix !== "quarantine/" || isMoved) return;
      isMoved = true;
      await put("packs/a/1.mpz");
      await put("wal/a/3.mpz");
      expect(expectOk(await removeObjects(world.context(), ["wal/a/1.mpz"], "packed")).keptCount).toBe(1);
    });
    expect((await takeSnapshot({ ...contextOf(), bucket: moving }, NEVER)).state).toBe("complete");
    const named = await namedBy("hourly", await newest());
    expect(named).toEqual(expect.arrayContaining(["packs/a/0.mpz", "wal/a/1.mpz", "wal/a/2.mpz", "wal/a/3.mpz"]));
    expect(named).not.toContain("packs/a/1.mpz");
    await tick();
    expect(await keysUnder("wal/")).toContain("wal/a/1.mpz");
  });
});

describe("a crash, and two runs", () => {
  const KEYS = ["packs/a/1.mpz", "wal/a/1.mpz", "wal/a/2.mpz"];
  const REMOVED = "wal/a/0.mpz";

  async function prepare(): Promise<void> {
    await forgetSnapshots();
    for (const key of [...KEYS, REMOVED]) await put(key);
    // It came to be when no snapshot looked.
    const createdAt = new Date(Date.UTC(2200, 0)).toISOString();
    await bucket.put(`removals/${REMOVED}`, "", { customMetadata: { created_at: createdAt } });
    await passTime();
  }

  it("leave one snapshot of each kind, whole, and the removal performed, after the next tick", async () => {
    let isThrough = false;
    for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += 1) {
      await prepare();
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      await tick({ crash }).catch((error: unknown) => {
        if (!crash.hasCrashed) throw error;
      });
      isThrough = !crash.hasCrashed;
      const expire = statement("update job_leases set expires_at = now() - interval '1 second'");
      expectOk(await world.database.ownerSql.transaction({ tenantId: "", userId: "" }, [expire]));
      await tick();
      const id = await newest();
      for (const kind of ["hourly", "daily", "weekly"] as const) expect(await idsOf(kind)).toEqual([id]);
      const named = await namedBy("weekly", id);
      expect({ callIndex, named: named.filter((key) => !key.startsWith("models/")) }).toEqual({
        callIndex,
        named: KEYS,
      });
      expect(await keysUnder("snapshots/begun/")).toEqual([]);
      expect(await keysUnder("removals/")).toEqual([]);
      expect(await keysUnder("wal/")).not.toContain(REMOVED);
    }
    expect(isThrough).toBe(true);
  });

  it("list together without a gap and without naming anything twice", async () => {
    await prepare();
    const hurried = () => {
      let looks = 0;
      return { isSpent: () => (looks += 1) % 2 === 0, isDryRun: false };
    };
    for (let round = 0; round < 20 && (await idsOf("weekly")).length === 0; round += 1) {
      await Promise.all([takeSnapshot(contextOf(), hurried()), takeSnapshot(contextOf(), hurried())]);
    }
    const named = await namedBy("hourly", await newest());
    expect(named.filter((key) => !key.startsWith("models/"))).toEqual(KEYS);
    expect((await manifestOf("hourly", await newest())).parts.length).toBeGreaterThan(1);
    await tick();
    expect(await idsOf("hourly")).toHaveLength(1);
  });
});
