/** Deletions on their way to the second remote and back: what a restore from a bucket that was lost has to know of. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DAY_MS } from "../../src/lib/base/durations.ts";
import { FULLS_KEPT } from "../../src/lib/flows/backups/expire-backups.ts";
import { eraseDocument } from "../../src/lib/flows/deletions/erase-document.ts";
import { removeObjects } from "../../src/lib/flows/snapshots/remove-objects.ts";
import { SNAPSHOT_JOB } from "../../src/lib/flows/snapshots/snapshot-job.ts";
import { SYNC_BACK_JOB } from "../../src/lib/flows/sync/sync-back-job.ts";
import { SYNC_JOB } from "../../src/lib/flows/sync/sync-job.ts";
import { createTenant } from "../../src/lib/flows/keys/manage-keys.ts";
import { expectOk, rowsIn, statement, type TestDatabase } from "../support/database.ts";
import { backUp, openRestored, sweepAll } from "./support/backups.ts";
import { distinctText } from "./support/distinct-text.ts";
import { runTicked } from "./support/run-ticked.ts";
import { contentOf, emptyBucket, openSyncWorld, type SyncWorld } from "./support/sync-world.ts";
import { principalOf } from "./support/world.ts";

const TENANT = "deleting";
/** More than may go from the remote without a record. */
const GONE_COUNT = 24;
/** Most that are kept of one kind of snapshots, and one. */
const HOURLY_KEPT = 25;

describe("a deletion and the second remote", () => {
  let place: SyncWorld;
  const opened: TestDatabase[] = [];
  beforeEach(async () => {
    place = await openSyncWorld();
    // Records of deletions have the Worker's clock, marks of backups the database's: here as in production they agree.
    place.world.nowMs = Date.now();
    expectOk(await createTenant(place.world.database.ownerSql, TENANT, TENANT));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()));
    await place?.close();
  });

  async function send(...ids: readonly string[]): Promise<void> {
    const documents = ids.map((id) => ({ id, text: distinctText(id) }));
    await place.world.ingest(TENANT, documents);
    await place.world.indexQueued();
  }

  async function remove(...documentIds: readonly string[]): Promise<void> {
    for (const documentId of documentIds) {
      const name = { documentId, tier: "doc", userId: "" } as const;
      expectOk(await eraseDocument(place.world.context(), principalOf(TENANT), name));
    }
  }

  const sync = () => place.run(SYNC_JOB);
  const keysUnder = async (bucket: SyncWorld["world"]["bucket"], prefix: string): Promise<readonly string[]> =>
    (await bucket.list({ prefix })).objects.map(({ key }) => key);

  /** The bucket is gone, and comes back from the remote. */
  async function loseBucket(): Promise<void> {
    await emptyBucket(place.world.bucket);
    expect(await place.run(SYNC_BACK_JOB)).toMatchObject({ state: "done", report: { failedCount: 0 } });
  }

  /** The database is gone too: an empty one gets what the bucket has, and then what the WAL has. */
  async function restored(): Promise<TestDatabase> {
    const database = await openRestored(place.world);
    opened.push(database);
    expect(database.report).toMatchObject({ state: "done", damaged: [] });
    await sweepAll(place.world, database);
    return database;
  }

  async function living({ sql }: TestDatabase): Promise<readonly string[]> {
    const text = `select d.document_id from documents d where d.deleted_at is null
      and exists (select from doc_embeddings e where e.tenant_id = d.tenant_id and e.document_uid = d.document_uid) order by 1`;
    const rows = await rowsIn(sql, { tenantId: TENANT, userId: "*" }, statement(text));
    return rows.map((row) => String(row["document_id"]));
  }

  it("is repeated by a restore after both bucket and database were lost, whether backup or WAL has the document", async () => {
    await send("kept", "backed", "again");
    await backUp(place.world);
    await send("only-wal");
    await remove("backed", "again", "only-wal");
    await send("again");
    const records = await keysUnder(place.world.bucket, `deletions/${TENANT}/`);
    expect(records).toHaveLength(3);
    expect((await sync()).state).toBe("done");
    expect(await keysUnder(place.server.bucket, `deletions/${TENANT}/`)).toEqual(records);
    await loseBucket();
    expect(await keysUnder(place.world.bucket, `deletions/${TENANT}/`)).toEqual(records);
    expect(await living(await restored())).toEqual(["again", "kept"]);
  });

  it("is not repeated where its record never reached the remote: the documents that it named are those of the last round", async () => {
    await send("kept", "late");
    await backUp(place.world);
    expect((await sync()).state).toBe("done");
    await remove("late");
    await loseBucket();
    expect(await living(await restored())).toEqual(["kept", "late"]);
  });

  it("keeps its record at the remote for as long as a backup needs it, and loses it by the record of its removal, however many there are", async () => {
    await send("kept");
    const gone = Array.from({ length: GONE_COUNT }, (_, index) => `gone-${index}`);
    await send(...gone);
    await backUp(place.world);
    await remove(...gone);
    expectOk(await runTicked(place.world.context(), SNAPSHOT_JOB));
    expect((await sync()).state).toBe("done");
    expect(await keysUnder(place.server.bucket, "deletions/")).toHaveLength(GONE_COUNT);
    for (let week = 0; week < FULLS_KEPT + 1; week += 1) await backUp(place.world, { afterHours: 7 * 24 });
    // A snapshot holds them: they wait, marked.
    expect(await keysUnder(place.world.bucket, "removals/deletions/")).toHaveLength(GONE_COUNT);
    expect(await keysUnder(place.world.bucket, "deletions/")).toHaveLength(GONE_COUNT);
    expect(await sync()).toMatchObject({ state: "done", report: { withheldCount: 0 } });
    expect(await keysUnder(place.server.bucket, "removals/deletions/")).toHaveLength(GONE_COUNT);
    expect(await keysUnder(place.server.bucket, "deletions/")).toHaveLength(GONE_COUNT);
    await removePastSnapshots();
    expect(await keysUnder(place.world.bucket, "deletions/")).toEqual([]);
    expect(await sync()).toMatchObject({ state: "done", report: { withheldCount: 0 } });
    expect(await sync()).toMatchObject({ state: "done", report: { withheldCount: 0, waitingCount: 0 } });
    expect(await keysUnder(place.server.bucket, "deletions/")).toEqual([]);
    expect(await keysUnder(place.server.bucket, "removals/deletions/")).toEqual([]);
    await place.expectSame();
  });

  /** Until no snapshot of before is left: as many newer ones of each kind as are kept. */
  async function removePastSnapshots(): Promise<void> {
    for (
      let round = 0;
      round < HOURLY_KEPT && (await keysUnder(place.world.bucket, "removals/")).length > 0;
      round += 1
    ) {
      place.world.nowMs += 8 * DAY_MS;
      expectOk(await runTicked(place.world.context(), SNAPSHOT_JOB));
    }
  }

  it("of an object that a snapshot held brings neither back, and the next rounds take both from the remote", async () => {
    await send("kept");
    const [marked, other] = [`wal/${TENANT}/2026-01-01/old.mpz`, `wal/${TENANT}/2026-01-01/other.mpz`];
    await place.world.bucket.put(marked, "old");
    await place.world.bucket.put(other, "other");
    expectOk(await runTicked(place.world.context(), SNAPSHOT_JOB));
    expect(expectOk(await removeObjects(place.world.context(), [marked], "packed"))).toMatchObject({ keptCount: 1 });
    expect((await sync()).state).toBe("done");
    const before = await contentOf(place.world.bucket, ["snapshots/", "job_reports/"]);
    expect(Object.keys(before)).toEqual(expect.arrayContaining([marked, `removals/${marked}`]));
    await loseBucket();
    // Snapshots are not copied, so nothing holds any more what was removed.
    const { [marked]: _object, [`removals/${marked}`]: _marker, ...rest } = before;
    expect(await contentOf(place.world.bucket, ["job_reports/"])).toEqual(rest);
    expect(await sync()).toMatchObject({
      state: "done",
      report: { removedCount: 1, waitingCount: 1, withheldCount: 0 },
    });
    expect(await sync()).toMatchObject({
      state: "done",
      report: { removedCount: 1, waitingCount: 0, withheldCount: 0 },
    });
    await place.expectSame();
    expect(await place.server.bucket.head(other)).not.toBeNull();
  });

  describe("of a user, who stood in many packs", () => {
    const PACKS = Array.from({ length: GONE_COUNT }, (_, index) => `packs/${TENANT}/${index}.mpz`);

    async function erase(): Promise<void> {
      const time = new Date(Date.now() + 3_600_000).toISOString().replaceAll(/[-:.]/g, "");
      await place.world.bucket.put(`erasures/${TENANT}/${"0".repeat(64)}-${time}.json`, "{}");
    }

    const register = (keys: readonly string[]) =>
      place.world.rows(
        TENANT,
        `insert into artifacts (tenant_id, artifact_id, kind, object_key, media_type, size_bytes, sha256)
         select $1, k, 'pack', k, 'application/octet-stream', 1, sha256('') from unnest($2::text[]) k`,
        TENANT,
        keys,
      );

    beforeEach(async () => {
      for (const key of PACKS) await place.world.bucket.put(key, key);
      expect((await sync()).state).toBe("done");
    });

    it("reaches the remote with the next round, however many packs were written anew", async () => {
      await place.world.bucket.delete([...PACKS]);
      expect(await sync()).toMatchObject({ state: "failed", report: { withheldCount: GONE_COUNT } });
      await erase();
      expect(await sync()).toMatchObject({ state: "done", report: { removedCount: GONE_COUNT, withheldCount: 0 } });
      await place.expectSame();
    });

    it("takes no pack along that is registered and was lost", async () => {
      await register(PACKS);
      await erase();
      await place.world.bucket.delete([...PACKS]);
      expect(await sync()).toMatchObject({ state: "failed", report: { removedCount: 0, withheldCount: GONE_COUNT } });
    });

    it("keeps no pack from coming home where the database was lost too", async () => {
      await register(PACKS);
      await erase();
      expect((await sync()).state).toBe("done");
      await place.world.rows(TENANT, "delete from artifacts");
      await loseBucket();
      expect(await keysUnder(place.world.bucket, "packs/")).toEqual([...PACKS].toSorted());
    });
  });
});
