import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { removalKey } from "../../src/lib/flows/snapshots/removal-marker.ts";
import { SYNC_BACK_JOB } from "../../src/lib/flows/sync/sync-back-job.ts";
import type { RemoteStore } from "../../src/lib/flows/sync/sync-context.ts";
import { SYNC_JOB, SYNC_REMOVALS_JOB } from "../../src/lib/flows/sync/sync-job.ts";
import { expectOk, statement } from "../support/database.ts";
import { contentOf, emptyBucket, MIB, noise, openSyncWorld, type SyncWorld } from "./support/sync-world.ts";

describe("the second remote", () => {
  let place: SyncWorld;
  beforeAll(async () => {
    place = await openSyncWorld();
  });
  afterAll(() => place?.close());
  beforeEach(() => place.reset());

  const sync = (options?: Parameters<SyncWorld["run"]>[1]) => place.run(SYNC_JOB, options);

  it("gets every object once, with what lies beside its bytes, and what is written anew under its key", async () => {
    await place.populate();
    const first = await sync();
    expect(first).toMatchObject({ state: "done", report: { copiedCount: 9, removedCount: 0, failedCount: 0 } });
    await place.expectSame();
    expect((await sync()).report).toMatchObject({ lookedAtCount: 10, copiedCount: 0, removedCount: 0 });
    await place.world.bucket.put("wal/t/2026-11-25/1.mpz", noise(2_001, "other words"), {
      customMetadata: { hash: "new" },
    });
    expect((await sync()).report).toMatchObject({ copiedCount: 1, copiedBytes: 2_001 });
    await place.expectSame();
    // Equal bytes with other metadata: the copy is older than the object, and is asked.
    await new Promise((resolve) => setTimeout(resolve, 5));
    await place.world.bucket.put("wal/t/2026-11-25/1.mpz", noise(2_001, "other words"), {
      customMetadata: { hash: "newer" },
    });
    expect((await sync()).report).toMatchObject({ copiedCount: 1 });
    expect((await sync()).report).toMatchObject({ copiedCount: 0 });
  });

  it("says in a dry run what it would do, and writes nothing on either side", async () => {
    await place.populate();
    const before = await contentOf(place.world.bucket);
    expect((await sync({ isDryRun: true })).report).toMatchObject({ copiedCount: 9 });
    expect(await contentOf(place.server.bucket)).toEqual({});
    expect(await contentOf(place.world.bucket)).toEqual(before);
    await sync();
    await place.world.bucket.delete("packs/t/日本/🙂.mpz");
    expect((await sync({ isDryRun: true })).report).toMatchObject({ removedCount: 1 });
    expect((await place.run(SYNC_REMOVALS_JOB, { isDryRun: true })).report).toMatchObject({ removedCount: 1 });
    expect(await place.server.bucket.head("packs/t/日本/🙂.mpz")).not.toBeNull();
  });

  it("gets a large object in parts, and goes on with the next part after a run that had no more time", async () => {
    await place.populate(1);
    const bytes = noise(25 * MIB, "large");
    await place.world.bucket.put("packs/t/large.mpz", bytes, { customMetadata: { hash: "large" } });
    let partCount = 0;
    const slow = (): RemoteStore => {
      const remote = place.remoteOf();
      const uploadPart: RemoteStore["uploadPart"] = (...args) => {
        partCount += 1;
        place.world.nowMs += 30_000;
        return remote.uploadPart(...args);
      };
      return new Proxy<RemoteStore>(remote, {
        get: (target, name) => {
          if (name === "uploadPart") return uploadPart;
          const member: unknown = Reflect.get(target, name);
          return typeof member === "function"
            ? (...args: unknown[]): unknown => Reflect.apply(member, target, args)
            : member;
        },
      });
    };
    expect((await sync({ remote: slow(), timeMsMax: 60_000 })).state).toBe("partial");
    expect(await place.server.bucket.head("packs/t/large.mpz")).toBeNull();
    expect((await sync({ remote: slow(), timeMsMax: 60_000 })).state).toBe("done");
    expect(partCount).toBe(4);
    await place.expectSame();
    expect((await sync({ remote: slow() })).report).toMatchObject({ copiedCount: 0 });
    // The same size and the same time of day, other bytes.
    await place.world.bucket.put("packs/t/large.mpz", noise(25 * MIB, "larger"), { customMetadata: { hash: "large" } });
    expect((await sync()).report).toMatchObject({ copiedCount: 1 });
    await place.expectSame();
  });

  it("begins a large object anew that changed while it was under way, and drops the upload of one that is gone", async () => {
    await place.world.bucket.put("packs/t/large.mpz", noise(20 * MIB, "before"));
    const uploads: string[] = [];
    const aborted: string[] = [];
    const watched = (more: Partial<RemoteStore>): RemoteStore => {
      const remote = place.remoteOf();
      return {
        list: (...args) => remote.list(...args),
        head: (...args) => remote.head(...args),
        get: (...args) => remote.get(...args),
        put: (...args) => remote.put(...args),
        delete: (...args) => remote.delete(...args),
        createUpload: (...args) => {
          uploads.push(args[0]);
          return remote.createUpload(...args);
        },
        uploadPart: (...args) => {
          place.world.nowMs += 60_000;
          return remote.uploadPart(...args);
        },
        completeUpload: (...args) => remote.completeUpload(...args),
        abortUpload: (...args) => {
          aborted.push(args[0].key);
          return remote.abortUpload(...args);
        },
        ...more,
      };
    };
    expect((await sync({ remote: watched({}), timeMsMax: 60_000 })).state).toBe("partial");
    await place.world.bucket.put("packs/t/large.mpz", noise(20 * MIB, "after"));
    expect((await sync({ remote: watched({}), timeMsMax: 60_000 })).state).toBe("partial");
    expect([uploads.length, aborted.length]).toEqual([2, 1]);
    await place.world.bucket.delete("packs/t/large.mpz");
    expect((await sync({ remote: watched({}) })).state).toBe("done");
    expect([uploads.length, aborted.length]).toEqual([2, 2]);
    await place.expectSame();
  });

  it("loses what was removed here by a record, and then the record", async () => {
    await place.populate(3);
    await sync();
    const gone = "wal/t/2026-11-25/1.mpz";
    await place.world.bucket.put(removalKey(gone), "");
    await sync();
    await place.world.bucket.delete([gone, removalKey(gone)]);
    expect((await sync()).report).toMatchObject({ removedCount: 1, waitingCount: 1 });
    expect((await sync()).report).toMatchObject({ removedCount: 1, waitingCount: 0 });
    await place.expectSame();
  });

  it("loses what an erasure took, however much of it there is", async () => {
    const erased = Array.from({ length: 30 }, (_, index) => `segments/t/ann%40x.org/talk/${index}.seg`);
    const sessionErased = Array.from({ length: 30 }, (_, index) => `summaries/t/ben/walk/${index}.json`);
    const dropped = Array.from({ length: 30 }, (_, index) => `batches/t/old tag/${index}`);
    for (const key of [...erased, ...sessionErased, ...dropped]) await place.world.bucket.put(key, key);
    await sync();
    const hash = createHash("sha256").update("ann@x.org").digest("hex");
    const laterMs = Date.now() + HOUR_MS;
    const time = new Date(laterMs).toISOString().replaceAll(/[-:.]/g, "");
    await place.world.bucket.put(`erasures/t/${hash}-${time}.json`, "{}");
    await place.world.bucket.put("dropped_batches/t/old tag.json", "{}");
    const row =
      "insert into sessions (tenant_id, user_id, session_id, erased_at) values ('t', 'ben', 'walk', now() + interval '1 hour')";
    expectOk(await place.world.database.sql.transaction({ tenantId: "t", userId: "*" }, [statement(row)]));
    await place.world.bucket.delete([...erased, ...sessionErased, ...dropped]);
    expect(await sync()).toMatchObject({ state: "done", report: { removedCount: 90, withheldCount: 0 } });
    await place.expectSame();
  });

  it("keeps what is missing here in numbers and without a record, until somebody says so", async () => {
    await place.populate(40);
    await sync();
    const keys = Array.from({ length: 30 }, (_, index) => `wal/t/2026-11-25/${index}.mpz`);
    await place.world.bucket.delete(keys);
    expect(await sync()).toMatchObject({ state: "failed", report: { removedCount: 0, withheldCount: 30 } });
    expect(Object.keys(await contentOf(place.server.bucket))).toHaveLength(45);
    expect(await place.run(SYNC_REMOVALS_JOB)).toMatchObject({ state: "done", report: { removedCount: 30 } });
    await place.expectSame();
  });

  it("is not emptied by a bucket that was lost, emptied or exchanged", async () => {
    await place.populate();
    await sync();
    const before = await contentOf(place.server.bucket);
    await emptyBucket(place.world.bucket);
    expect(await sync()).toMatchObject({ state: "failed", report: { stoppedBy: "source_lost" } });
    expect(await place.run(SYNC_REMOVALS_JOB)).toMatchObject({ state: "failed", report: { stoppedBy: "source_lost" } });
    await place.world.bucket.put("sync/source.json", JSON.stringify({ version: 1, source_id: "another" }));
    expect((await sync()).report).toMatchObject({ stoppedBy: "source_differs", copiedCount: 0, removedCount: 0 });
    expect((await place.run(SYNC_BACK_JOB)).report).toMatchObject({ stoppedBy: "source_differs" });
    expect(await contentOf(place.server.bucket)).toEqual(before);
  });

  it("leaves alone what lies in its bucket and was not copied by us", async () => {
    await place.populate();
    await place.server.bucket.put("holiday/photo.jpg", "beach");
    await sync();
    expect((await sync()).report).toMatchObject({ removedCount: 0, foreignCount: 1 });
    expect(await place.server.bucket.head("holiday/photo.jpg")).not.toBeNull();
    expect((await place.run(SYNC_BACK_JOB)).report).toMatchObject({ broughtCount: 0, foreignCount: 1 });
  });

  it("names wrong keys, a missing bucket, a server that is busy, and a connection that is cut; the next run goes on", async () => {
    await place.populate();
    const stoppedBy = async (remote: RemoteStore) => (await sync({ remote })).report["stoppedBy"];
    expect(await stoppedBy(place.remoteOf({ secretAccessKey: "wrong" }))).toBe("s3_credentials_refused");
    expect(await stoppedBy(place.remoteOf({ bucket: "nowhere" }))).toBe("s3_bucket_missing");
    let left = 8;
    const failing = (response: () => Response) =>
      place.remoteOf({}, { fetch: async (url, init) => ((left -= 1) >= 0 ? fetch(url, init) : response()) });
    const slowDown = () => new Response("<Error><Code>SlowDown</Code></Error>", { status: 503 });
    expect(await stoppedBy(failing(slowDown))).toBe("s3_slow_down");
    left = 4;
    const cut = (): never => {
      throw new TypeError("fetch failed");
    };
    expect(await stoppedBy(failing(cut))).toBe("s3_connection_lost");
    expect(await sync()).toMatchObject({ state: "done" });
    await place.expectSame();
  });

  it("takes back a copy that the server did not keep as it was sent, names it, and copies the rest", async () => {
    await place.populate(3);
    const bad = "wal/t/2026-11-25/1.mpz";
    // A server that says yes to what it has changed: bytes of one object are exchanged behind its back.
    const lying = (): RemoteStore =>
      place.remoteOf(
        {},
        {
          fetch: async (url, init) => {
            const response = await fetch(url, init);
            if (init.method !== "PUT" || !url.endsWith("/1.mpz")) return response;
            await place.server.bucket.put(bad, noise(2_001, "something else"));
            return new Response(null, { status: 200, headers: { etag: '"not-an-md5"' } });
          },
        },
      );
    const ran = await sync({ remote: lying() });
    expect(ran).toMatchObject({
      state: "failed",
      report: { failedCount: 1, failures: [{ key: bad, code: "hash_mismatch" }] },
    });
    expect(await place.server.bucket.head(bad)).toBeNull();
    expect(await sync()).toMatchObject({ state: "done", report: { copiedCount: 1 } });
    await place.expectSame();
  });

  it("reads a copy back where the server's etags are no hash, in one piece and in parts", async () => {
    await place.populate(2);
    await place.world.bucket.put("packs/t/large.mpz", noise(17 * MIB, "large"));
    let readCount = 0;
    const opaque = (): RemoteStore =>
      place.remoteOf(
        {},
        {
          fetch: async (url, init) => {
            if (init.method === "GET" && !url.includes("list-type")) readCount += 1;
            const response = await fetch(url, init);
            if (init.method !== "PUT") return response;
            const parts = url.includes("partNumber") ? response.headers.get("etag") : '"opaque"';
            return new Response(null, { status: 200, headers: { etag: parts ?? "" } });
          },
        },
      );
    expect(await sync({ remote: opaque() })).toMatchObject({ state: "done", report: { copiedCount: 7 } });
    expect(readCount).toBeGreaterThanOrEqual(7);
    await place.expectSame();
  });
});
