import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MINUTE_MS } from "../../src/lib/base/durations.ts";
import type { EmbedMessage } from "../../src/lib/contract/queue-message.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { PROFILE_WATCH_JOB } from "../../src/lib/flows/profiles/watch-job.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { CrashPoint } from "./support/crashing.ts";
import { day, TenantProfiles } from "./support/tenant-profiles.ts";
import { openWorld, type World } from "./support/world.ts";

/** PGlite, PostgreSQL 18 with pgvector and PostgreSQL 15 without it. */
const BACKENDS = await availableBackends(["pglite", "native", "debian"]);
/** Bounds the search for the last crash point. */
const CALLS_MAX = 40;

function permutationsOf<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length <= 1) return [items];
  return items.flatMap((first, index) =>
    permutationsOf([...items.slice(0, index), ...items.slice(index + 1)]).map((rest) => [first, ...rest]),
  );
}

describe.each(BACKENDS)("on %s", (backend) => {
  let world: World;
  let profiles: TenantProfiles;
  let tenantCount = 0;

  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());
  beforeEach(() => {
    profiles = new TenantProfiles(world, `delivery-${(tenantCount += 1)}`);
    world.take();
  });

  describe("a series", () => {
    it("ends alike in whatever order its versions arrive, also when times run back", async () => {
      const times = [day(2), day(6), day(4), day(8)];
      const expected: Record<string, readonly string[]>[] = [];
      for (const order of permutationsOf([0, 1, 2, 3])) {
        profiles = new TenantProfiles(world, `series-${backend}-${(tenantCount += 1)}`);
        const messages: EmbedMessage[][] = [];
        for (const [n, time] of times.entries()) {
          expectOk(await profiles.put([{ key: "city", value: `City ${n}`, observed_at: time }]));
          messages.push(world.take());
        }
        for (const n of order) await profiles.indexAll(messages[n] ?? []);
        const seen: Record<string, readonly string[]> = {};
        for (let date = 1; date <= 9; date += 1) {
          seen[day(date)] = await profiles.searchable(day(date));
          const values = Object.values(await profiles.valuesAt(day(date))).map((value) => `city: ${value}`);
          expect(seen[day(date)]).toEqual(values);
        }
        seen["now"] = await profiles.searchable();
        expected.push(seen);
        const [apart] = await world.rows(
          profiles.tenant,
          `select count(*)::int as n from documents d join doc_embeddings e using (tenant_id, document_uid)
           where d.valid_until is distinct from e.valid_until`,
        );
        expect(apart).toEqual({ n: 0 });
      }
      expect(new Set(expected.map((seen) => JSON.stringify(seen))).size).toBe(1);
      expect(expected[0]?.["now"]).toEqual(["city: City 3"]);
    });

    it("ends alike when its versions are committed at the same time", async () => {
      for (let n = 1; n <= 5; n += 1)
        expectOk(await profiles.put([{ key: "city", value: `City ${n}`, observed_at: day(n) }]));
      const results = await Promise.all(world.take().map((message) => indexRange(world.context(), message)));
      for (const result of results) expectOk(result);
      expect(await profiles.searchable()).toEqual(["city: City 5"]);
      for (let n = 1; n <= 5; n += 1) expect(await profiles.searchable(day(n))).toEqual([`city: City ${n}`]);
    });
  });

  describe("a crash at any await", () => {
    it("of a change loses nothing that was committed, and sends it once", async () => {
      let finished = false;
      let callIndex = 0;
      for (; callIndex < CALLS_MAX && !finished; callIndex += 1) {
        finished = true;
        for (const moment of ["before", "after"] as const) {
          profiles = new TenantProfiles(world, `crash-${backend}-${(tenantCount += 1)}`);
          const crash = new CrashPoint({ callIndex, moment });
          const reply = await profiles.put([{ key: "city", value: "Paris" }], { crash }).catch(() => undefined);
          finished = finished && !crash.hasCrashed && reply?.ok === true;
          world.nowMs += 2 * MINUTE_MS;
          await profiles.runOutbox();
          const [row] = await world.rows(
            profiles.tenant,
            "select count(*)::int as n, count(outbox)::int as waiting from profiles",
          );
          const isCommitted = row?.["n"] === 1;
          expect(row?.["waiting"]).toBe(0);
          const messages = world.take();
          expect(new Set(messages.map(({ wal_id: walId }) => walId)).size).toBe(isCommitted ? 1 : 0);
          await profiles.indexAll(messages);
          expect(await profiles.searchable()).toEqual(isCommitted ? ["city: Paris"] : []);
          const again = expectOk(await profiles.put([{ key: "city", value: "Paris" }]));
          expect(again.version).toBe(1);
          await profiles.indexAll();
          expect(await profiles.searchable()).toEqual(["city: Paris"]);
        }
      }
      expect(callIndex).toBeGreaterThanOrEqual(4);
      expect(finished).toBe(true);
    });

    it("is completed by the client that comes again, which gets the token of what waited", async () => {
      const crash = new CrashPoint({ callIndex: 2, moment: "before" });
      await profiles.put([{ key: "city", value: "Paris" }], { crash }).catch(() => undefined);
      const again = expectOk(await profiles.put([{ key: "city", value: "Paris" }]));
      expect(again.facts).toEqual([{ key: "city", version: 1, change: "unchanged" }]);
      expect(world.take().map(({ wal_id: walId }) => walId)).toEqual([again.token]);
      world.nowMs += 2 * MINUTE_MS;
      expect(await profiles.runOutbox()).toMatchObject({ failedCount: 0, sentCount: 0 });
    });
  });

  describe("the temporary watcher", () => {
    const insert = (value: string, version = 1) =>
      `insert into profiles (tenant_id, user_id, fact_key, version, value, observed_at)
       values ('${profiles.tenant}', 'ann', 'city', ${version}, '${value}', '${day(1)}')`;

    it("finds rows that jeeves_app or the owner wrote by SQL, sends each once, and says that it is temporary", async () => {
      await world.rows(profiles.tenant, insert("Paris"));
      const first = await profiles.runWatch();
      expect(first.report).toMatchObject({ sentCount: 1, failedCount: 0 });
      expect(first.logged).toEqual(["profile_watch_is_temporary"]);
      await profiles.indexAll();
      expect(await profiles.searchable()).toEqual(["city: Paris"]);
      expect((await profiles.runWatch()).report).toMatchObject({ sentCount: 0 });
      expectOk(
        await world.database.ownerSql.query(
          statement(`update profiles set value = 'Rome' where tenant_id = '${profiles.tenant}'`),
        ),
      );
      expect((await profiles.runWatch()).report).toMatchObject({ sentCount: 1 });
      expect((await profiles.runWatch()).report).toMatchObject({ sentCount: 0 });
      await profiles.indexAll();
      expect(await profiles.searchable()).toEqual(["city: Rome"]);
      expectOk(await profiles.put([{ key: "city", value: "Oslo" }]));
      expect((await profiles.runWatch()).report).toMatchObject({ sentCount: 0 });
    });

    it("keeps a changed earlier version in its place", async () => {
      expectOk(await profiles.put([{ key: "city", value: "Paris", observed_at: day(2) }]));
      expectOk(await profiles.put([{ key: "city", value: "Rome", observed_at: day(4) }]));
      await profiles.indexAll();
      await world.rows(profiles.tenant, "update profiles set value = 'Lyon' where version = 1");
      await profiles.runWatch();
      await profiles.indexAll();
      expect([await profiles.searchable(day(3)), await profiles.searchable()]).toEqual([
        ["city: Lyon"],
        ["city: Rome"],
      ]);
    });

    it("judges what it finds, and lets nothing be found of what is refused", async () => {
      await world.rows(profiles.tenant, insert("Paris"));
      await profiles.runWatch();
      await profiles.indexAll();
      await world.rows(profiles.tenant, "update profiles set value = repeat('=', 300)");
      expect((await profiles.runWatch()).report).toMatchObject({ refusedCount: 1 });
      await profiles.indexAll();
      expect(await profiles.searchable()).toEqual([]);
      expect((await profiles.runWatch()).report).toMatchObject({ sentCount: 0 });
    });

    it("erases the document of a deleted row, and the version before it holds again", async () => {
      expectOk(await profiles.put([{ key: "city", value: "Paris", observed_at: day(2) }]));
      expectOk(await profiles.put([{ key: "city", value: "Rome", observed_at: day(4) }]));
      await profiles.indexAll();
      await world.rows(profiles.tenant, "delete from profiles where version = 2");
      expect((await profiles.runWatch()).report).toMatchObject({ erasedCount: 1 });
      expect(await profiles.searchable()).toEqual(["city: Paris"]);
      expect(await profiles.valuesAt()).toEqual({ city: "Paris" });
      expect((await profiles.runWatch()).report).toMatchObject({ erasedCount: 0 });
    });

    it("runs only where it is switched on", () => {
      const context = {
        ...world.context(),
        databases: new Map(),
        log: { info() {}, warn() {}, error() {} },
        metrics: { count() {} },
      };
      const isEnabled = (watch: "off" | "poll") =>
        PROFILE_WATCH_JOB.isEnabled?.({ ...context, config: { profiles: { watch } } });
      expect([isEnabled("off"), isEnabled("poll")]).toEqual([false, true]);
    });
  });
});
