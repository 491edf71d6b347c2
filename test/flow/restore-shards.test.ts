/** Restores of tenants that lie in several databases. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import { HOME_SHARD, shardMapSchema, type ShardMap, shardOf } from "../../src/lib/db/shard-map.ts";
import { openDatabases, type Databases } from "../../src/lib/db/open-databases.ts";
import { BACKUP_JOB, type BackupContext } from "../../src/lib/flows/backups/backup-job.ts";
import { RESTORE_JOB } from "../../src/lib/flows/backups/restore-job.ts";
import { copyRegistry } from "../../src/lib/flows/models/copy-registry.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { createTenant } from "../../src/lib/flows/keys/manage-keys.ts";
import { createModelSource } from "../../src/lib/flows/models/model-source.ts";
import { search } from "../../src/lib/flows/searching/search.ts";
import { expectOk, openTestDatabase, statement, type TestDatabase } from "../support/database.ts";
import { CLOCK_COLUMNS, rowSetHashes } from "../support/row-set-hash.ts";
import { smallTokenizerJson } from "../unit/model/small-tokenizer.ts";
import { backupContext, restoreReportSchema, sweepAll } from "./support/backups.ts";
import { CAMPAIGN_MS_MAX, crashEvery, CrashPoint } from "./support/crashing.ts";
import { distinctText } from "./support/distinct-text.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, principalOf, type World, type WorldContext } from "./support/world.ts";

/** In the order in which a restore takes them: home and the other database by turns. */
const TENANTS = ["t1-home", "t2-away", "t3-home", "t4-away"] as const;
const AWAY = "b";
const CRASH_EVERY = crashEvery(31);
const CALLS_MAX = 300;

/** Two databases that a deployment knows by its map. */
interface Pair extends Databases {
  readonly databases: ReadonlyMap<string, TestDatabase>;
  readonly map: ShardMap;
}

describe("a restore of tenants over two databases", () => {
  let world: World;
  let before: Pair;
  let wanted: Readonly<Record<string, unknown>>;
  const opened: TestDatabase[] = [];

  beforeAll(async () => {
    world = await openWorld();
    world.nowMs = Date.now();
    before = pairOf(world.database, await openOther());
    expectOk(await copyRegistry(before.byShard));
    for (const tenantId of TENANTS) {
      expectOk(await createTenant(before.sql, tenantId, tenantId));
      await ingest(tenantId, ["wing", "jet", "flow"]);
    }
    wanted = await stateOf(before);
    expect(await backUp()).toMatchObject({ state: "done", report: { tenant_count: TENANTS.length, skipped: [] } });
  });
  afterEach(async () => {
    await Promise.all(opened.splice(1).map((each) => each.close()));
  });
  afterAll(async () => {
    await Promise.all(opened.map((each) => each.close()));
    await world?.close();
  });

  async function openOther(): Promise<TestDatabase> {
    const database = await openTestDatabase({ backend: "pglite" });
    opened.push(database);
    return database;
  }

  /** A deployment that lost both: nothing but migrations went into these. */
  async function openEmpty(): Promise<Pair> {
    return pairOf(await openOther(), await openOther());
  }

  function pairOf(home: TestDatabase, away: TestDatabase): Pair {
    const map = shardMapSchema.parse({
      shards: { [AWAY]: { database_url: away.connectionString, sql_fetch_endpoint: away.endpointUrl } },
      tenants: { "t1-home": HOME_SHARD, "t2-away": AWAY, "t3-home": HOME_SHARD, "t4-away": AWAY },
    });
    const options = { connectionString: home.connectionString, fetchEndpoint: home.endpointUrl };
    const pair = openDatabases(options, { map, timeoutMs: 20_000 });
    return {
      ...pair,
      map,
      databases: new Map([
        [HOME_SHARD, home],
        [AWAY, away],
      ]),
    };
  }

  const jobContext = (pair: Pair, crash = new CrashPoint(undefined)): BackupContext => ({
    ...backupContext(world, world.database, crash),
    sql: crash.wrap(pair.sql),
    databases: new Map([...pair.byShard].map(([name, sql]) => [name, crash.wrap(sql)])),
  });

  function contextOf(pair: Pair): WorldContext {
    const models = createModelSource({
      sql: pair.sql,
      clock: () => world.nowMs,
      readTokenizer: async () => smallTokenizerJson(),
    });
    return { ...world.context(), sql: pair.sql, databases: pair.byShard, models };
  }

  const textOf = (tenantId: string, word: string): string => distinctText(`${tenantId} ${word}`, 1);

  async function ingest(tenantId: string, words: readonly string[]): Promise<void> {
    await world.ingest(
      tenantId,
      words.map((id) => ({ id, text: textOf(tenantId, id) })),
    );
    for (const message of world.take()) expectOk(await indexRange(contextOf(before), message));
  }

  async function backUp(): Promise<unknown> {
    world.nowMs += HOUR_MS;
    return expectOk(await runTicked(jobContext(before), BACKUP_JOB));
  }

  async function restore(pair: Pair): Promise<{ readonly state: string; readonly report: object }> {
    const { state, report } = expectOk(await runTicked(jobContext(pair), RESTORE_JOB));
    return { state, report: restoreReportSchema.parse(report) };
  }

  /** Rows of each tenant by database, models by database, and what searches of each tenant find. */
  async function stateOf(
    pair: Pair,
    without: Readonly<Record<string, readonly string[]>> = {},
  ): Promise<Readonly<Record<string, unknown>>> {
    const state: Record<string, unknown> = {};
    const registry = statement(
      "select model_id, fingerprint, state, dimensions, max_input_tokens from embedding_models order by 1",
    );
    for (const [shard, { ownerSql }] of pair.databases) {
      state[`${shard} models`] = expectOk(await ownerSql.query(registry));
      for (const tenantId of TENANTS)
        state[`${shard} ${tenantId}`] = await rowSetHashes(ownerSql, { tenantId, without });
    }
    for (const tenantId of TENANTS) state[`found in ${tenantId}`] = await answersOf(pair, tenantId);
    return state;
  }

  async function answersOf(pair: Pair, tenantId: string): Promise<readonly unknown[]> {
    const context = { ...contextOf(pair), sleep: async (): Promise<void> => undefined };
    const found: unknown[] = [];
    for (const query of ["boundary layer of the jet", textOf(tenantId, "wing")]) {
      const { hits } = searchReplySchema.parse(expectOk(await search(context, principalOf(tenantId), { query, k: 5 })));
      expect(hits.length).toBeGreaterThan(0);
      for (const { document_id: id, text } of hits) expect(textOf(tenantId, id ?? "")).toContain(text);
      found.push(hits.map(({ document_id: id, text, score }) => [id, text, score.toFixed(6)]));
    }
    return found;
  }

  async function documentCount(database: TestDatabase, tenantId: string): Promise<number> {
    const text = "select count(*)::int as n from documents where tenant_id = $1";
    return Number(expectOk(await database.ownerSql.query(statement(text, tenantId)))[0]?.["n"]);
  }

  /** Documents of a tenant by database: all in its own, none in the other. */
  async function expectAtHome(pair: Pair, count: number): Promise<void> {
    for (const [shard, database] of pair.databases)
      for (const tenantId of TENANTS)
        expect(await documentCount(database, tenantId), `${tenantId} in ${shard}`).toBe(
          shardOf(pair.map, tenantId) === shard ? count : 0,
        );
  }

  it("rebuilds each database from R2 alone: every tenant in its own, every row and every answer of a search equal", async () => {
    await expectAtHome(before, 3);
    const empty = await openEmpty();
    expect(await restore(empty)).toMatchObject({
      state: "done",
      report: { tenants_total: 4, tenant_count: 4, document_count: 12, missing_document_count: 0, damaged: [] },
    });
    await expectAtHome(empty, 3);
    expect(await stateOf(empty)).toEqual(wanted);
  });

  it("follows the shard map of the day: a tenant that the map has moved is restored where it lies now", async () => {
    const empty = await openEmpty();
    const [home, away] = [empty.databases.get(HOME_SHARD), empty.databases.get(AWAY)];
    if (home === undefined || away === undefined) throw new Error("there are two databases");
    const exchanged = pairOf(away, home);
    expect(await restore(exchanged)).toMatchObject({ state: "done" });
    await expectAtHome(exchanged, 3);
    expect(await stateOf(exchanged)).toEqual(wanted);
  });

  it("writes nothing while one of the databases holds rows of a tenant", async () => {
    const empty = await openEmpty();
    const text = `insert into documents (tenant_id, document_uid, document_id, tier, content_hash, model_id, version_key, batch_tag, wal_key, wal_id, document_index)
      values ('t4-away', gen_random_uuid(), 'x', 'doc', '\\x00', 1, 'v', 'b', 'k', 'w', 0)`;
    const model = `insert into embedding_models (fingerprint, model_name, revision, dimensions, max_input_tokens, state)
      values ('test:hash@1', 'hash', '1', 8, 64, 'shadow')`;
    const away = empty.databases.get(AWAY);
    if (away === undefined) throw new Error("there are two databases");
    const scope = { tenantId: "t4-away", userId: "*" };
    expectOk(await away.ownerSql.transaction(scope, [statement(model), statement(text)]));
    expect(await restore(empty)).toMatchObject({
      state: "failed",
      report: { code: "tenant_not_empty", refused_tenants: ["t4-away"] },
    });
    for (const [shard, database] of empty.databases)
      for (const tenantId of TENANTS)
        expect(await documentCount(database, tenantId), `${tenantId} in ${shard}`).toBe(
          shard === AWAY && tenantId === "t4-away" ? 1 : 0,
        );
  });

  it(
    "is completed by the next run after a crash at an await, in both databases",
    { timeout: CAMPAIGN_MS_MAX },
    async () => {
      let isThrough = false;
      for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += CRASH_EVERY) {
        const empty = await openEmpty();
        const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
        try {
          await runTicked(jobContext(empty, crash), RESTORE_JOB);
        } catch (error) {
          if (!crash.hasCrashed) throw error;
        }
        isThrough = !crash.hasCrashed;
        const expired = statement("update job_leases set expires_at = now() - interval '1 second'");
        expectOk((await empty.databases.get(HOME_SHARD)?.ownerSql.query(expired)) ?? { ok: true, value: [] });
        if (!isThrough) expect(await restore(empty), String(callIndex)).toMatchObject({ state: "done" });
        expect(await stateOf(empty), String(callIndex)).toEqual(wanted);
        await Promise.all(opened.splice(1).map((each) => each.close()));
      }
      expect(isThrough).toBe(true);
    },
  );

  it("has what came after the backup once the sweeper has run, from deltas too", async () => {
    await ingest("t2-away", ["engine"]);
    await ingest("t3-home", ["engine"]);
    expect(await backUp()).toMatchObject({ state: "done", report: { kind: "delta" } });
    await ingest("t1-home", ["river"]);
    await ingest("t4-away", ["river"]);
    const empty = await openEmpty();
    expect(await restore(empty)).toMatchObject({ state: "done", report: { document_count: 14 } });
    await sweepAll(world, empty);
    await expectAtHome(empty, 4);
    expect(await stateOf(empty, CLOCK_COLUMNS)).toEqual(await stateOf(before, CLOCK_COLUMNS));
  });
});
