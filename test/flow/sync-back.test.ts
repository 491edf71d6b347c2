import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { SYNC_BACK_JOB } from "../../src/lib/flows/sync/sync-back-job.ts";
import { SYNC_JOB } from "../../src/lib/flows/sync/sync-job.ts";
import { expectOk, statement } from "../support/database.ts";
import { CAMPAIGN_MS_MAX, crashEvery, CrashPoint } from "./support/crashing.ts";
import {
  contentOf,
  emptyBucket,
  LEFT_OUT,
  metadataOf,
  MIB,
  noise,
  openSyncWorld,
  type SyncWorld,
} from "./support/sync-world.ts";

describe("a bucket that was lost", () => {
  let place: SyncWorld;
  beforeAll(async () => {
    place = await openSyncWorld();
  });
  afterAll(() => place?.close());
  beforeEach(() => place.reset());

  const sync = (options?: Parameters<SyncWorld["run"]>[1]) => place.run(SYNC_JOB, options);

  it("brings a lost bucket back, byte for byte and with what lies beside, and then goes on as before", async () => {
    await place.populate();
    await place.world.bucket.put("packs/t/large.mpz", noise(17 * MIB, "large"), { customMetadata: { hash: "l" } });
    await sync();
    const before = await contentOf(place.world.bucket, LEFT_OUT);
    const beside = await metadataOf(place.world.bucket);
    await emptyBucket(place.world.bucket);
    expect((await place.run(SYNC_BACK_JOB, { isDryRun: true })).report).toMatchObject({ broughtCount: 10 });
    expect(await contentOf(place.world.bucket)).toEqual({});
    const brought = await place.run(SYNC_BACK_JOB);
    expect(brought).toMatchObject({ state: "done", report: { broughtCount: 10, unverifiedCount: 0, failedCount: 0 } });
    expect(await contentOf(place.world.bucket, LEFT_OUT)).toEqual(before);
    const without = (all: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(all).filter(([key]) => !LEFT_OUT.some((prefix) => key.startsWith(prefix))));
    expect(without(await metadataOf(place.world.bucket))).toEqual(without(beside));
    // Of the large object R2 gives another etag: it is copied once more.
    expect(await sync()).toMatchObject({ state: "done", report: { copiedCount: 1, removedCount: 0 } });
    await place.expectSame();
  });

  it("brings back no object that is damaged or shorter at the remote, names it, and is not whole before it is mended", async () => {
    await place.populate(3);
    await sync();
    const [damaged, short] = ["wal/t/2026-11-25/0.mpz", "wal/t/2026-11-25/1.mpz"];
    const head = await place.server.bucket.head(damaged);
    const metadata = { customMetadata: head?.customMetadata ?? {} };
    await place.server.bucket.put(damaged, noise(2_000, "rotten"), metadata);
    await emptyBucket(place.world.bucket);
    const truncating = place.remoteOf(
      {},
      {
        fetch: async (url, init) => {
          const response = await fetch(url, init);
          if (init.method !== "GET" || !url.endsWith("/1.mpz")) return response;
          return new Response((await response.arrayBuffer()).slice(0, 1_000), { status: 206 });
        },
      },
    );
    const ran = await place.run(SYNC_BACK_JOB, { remote: truncating });
    const failures = [
      { key: damaged, code: "hash_mismatch" },
      { key: short, code: "s3_truncated" },
    ];
    expect(ran).toMatchObject({
      state: "failed",
      report: { broughtCount: 5, failures: expect.arrayContaining(failures) },
    });
    expect(await place.world.bucket.head(damaged)).toBeNull();
    expect((await sync()).report).toMatchObject({ stoppedBy: "source_lost" });
    await place.server.bucket.put(damaged, noise(2_000, "wal 0"), metadata);
    expect(await place.run(SYNC_BACK_JOB)).toMatchObject({ state: "done", report: { broughtCount: 2 } });
    expect(await sync()).toMatchObject({ state: "done" });
    await place.expectSame();
  });

  it("brings nothing back that was erased or removed here", async () => {
    await place.populate(2);
    await sync();
    const erased = "segments/t/ann%40x.org/talk%20(1)/000000000001-x.seg";
    const hash = createHash("sha256").update("ann@x.org").digest("hex");
    const time = new Date(Date.now() + HOUR_MS).toISOString().replaceAll(/[-:.]/g, "");
    await place.world.bucket.put(`erasures/t/${hash}-${time}.json`, "{}");
    await place.world.bucket.delete([erased, "batches/t/tag/01"]);
    await place.world.bucket.put("dropped_batches/t/tag.json", "{}");
    expect((await place.run(SYNC_BACK_JOB)).report).toMatchObject({ broughtCount: 0, removedCount: 2 });
    expect(await place.world.bucket.head(erased)).toBeNull();
  });
});

describe("a run of sync that dies", () => {
  let place: SyncWorld;
  beforeAll(async () => {
    place = await openSyncWorld();
  });
  afterAll(() => place?.close());

  const CRASH_EVERY = crashEvery(6);
  /** Bounds the search for the last call. */
  const CALLS_MAX = 200;
  const large = "packs/t/large.mpz";

  async function populate(callIndex: number): Promise<void> {
    await place.reset();
    await place.populate(2);
    await place.run(SYNC_JOB);
    await place.world.bucket.put(large, noise(9 * MIB, `large ${callIndex}`));
    await place.world.bucket.put("wal/t/2026-11-25/1.mpz", noise(2_001, "erased"));
    await place.world.bucket.delete("wal/t/2026-11-25/0.mpz");
  }

  async function dies(job: typeof SYNC_JOB | typeof SYNC_BACK_JOB, crash: CrashPoint): Promise<void> {
    await place.run(job, { crash }).catch(() => undefined);
    const freed = "update job_leases set expires_at = now() - interval '1 second'";
    expectOk(await place.world.database.ownerSql.query(statement(freed)));
  }

  it.each(["before", "after"] as const)(
    "comes to the same end with the next one, wherever it died: %s a call",
    { timeout: CAMPAIGN_MS_MAX },
    async (moment) => {
      for (let callIndex = 0; callIndex < CALLS_MAX; callIndex += CRASH_EVERY) {
        await populate(callIndex);
        const crash = new CrashPoint({ callIndex, moment });
        await dies(SYNC_JOB, crash);
        // Never a half of it.
        expect([undefined, 9 * MIB]).toContain((await place.server.bucket.head(large))?.size);
        let state = "";
        for (let round = 0; round < 3 && state !== "done"; round += 1) ({ state } = await place.run(SYNC_JOB));
        await place.expectSame();
        if (!crash.hasCrashed) return;
      }
      throw new Error("the last call was not reached");
    },
  );

  it("brings the bucket back in the end, wherever that died", { timeout: CAMPAIGN_MS_MAX }, async () => {
    for (let callIndex = 0; callIndex < CALLS_MAX; callIndex += CRASH_EVERY) {
      await populate(callIndex);
      await place.run(SYNC_JOB);
      const before = await contentOf(place.world.bucket, LEFT_OUT);
      await emptyBucket(place.world.bucket);
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      await dies(SYNC_BACK_JOB, crash);
      let state = "";
      for (let round = 0; round < 3 && state !== "done"; round += 1) ({ state } = await place.run(SYNC_BACK_JOB));
      expect(await contentOf(place.world.bucket, LEFT_OUT)).toEqual(before);
      if (!crash.hasCrashed) return;
    }
    throw new Error("the last call was not reached");
  });
});
