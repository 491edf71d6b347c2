import { afterEach, beforeAll, afterAll, describe, expect, it } from "vitest";
import { HOUR_MS } from "../../src/lib/base/durations.ts";
import { BACKUP_JOB } from "../../src/lib/flows/backups/backup-job.ts";
import { FULLS_KEPT } from "../../src/lib/flows/backups/expire-backups.ts";
import { RESTORE_JOB } from "../../src/lib/flows/backups/restore-job.ts";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import { createModelSource } from "../../src/lib/flows/models/model-source.ts";
import { search } from "../../src/lib/flows/searching/search.ts";
import { dropExpiredBatch } from "../../src/lib/flows/retention/drop-batch.ts";
import { eraseUser } from "../../src/lib/flows/users/erase-user.ts";
import { expectOk, openTestDatabase, statement, type TestDatabase } from "../support/database.ts";
import { CLOCK_COLUMNS, rowSetHashes } from "../support/row-set-hash.ts";
import { backUp, backupContext, openRestored, restoreInto, sweepAll } from "./support/backups.ts";
import { CAMPAIGN_MS_MAX, crashEvery, CrashPoint } from "./support/crashing.ts";
import { erasureContext, Logs } from "./support/erasures.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

const CRASH_EVERY = crashEvery(7);
const CALLS_MAX = 300;
const TENANT = "keeping";

let world: World;
const opened: TestDatabase[] = [];
beforeAll(async () => {
  world = await openWorld();
  // Records of deletions have the Worker's clock, marks of backups the database's: here as in production they agree.
  world.nowMs = Date.now();
  const insert = statement("insert into tenants (tenant_id) values ($1)", TENANT);
  expectOk(await world.database.ownerSql.transaction({ tenantId: TENANT, userId: "*" }, [insert]));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((each) => each.close()));
});
afterAll(() => world.close());

async function ingest(
  names: readonly string[],
  words: string,
  more: { batchTag?: string; userId?: string } = {},
): Promise<void> {
  const { userId, ...options } = more;
  const documents = names.map((id) => ({
    id,
    text: `The ${words} of ${id} is in the boundary layer of the jet, and stays there.`,
    ...(userId === undefined ? {} : { user_id: userId }),
  }));
  await world.ingest(TENANT, documents, options);
  await world.indexQueued();
}

async function restored(at?: string): ReturnType<typeof openRestored> {
  const database = await openRestored(world, "pglite", at === undefined ? {} : { at });
  opened.push(database);
  return database;
}

const hashes = (database: TestDatabase) => rowSetHashes(database.ownerSql);
const replayed = (database: TestDatabase) =>
  rowSetHashes(database.ownerSql, {
    without: { ...CLOCK_COLUMNS, user_erasures: ["erased_at"] },
  });

/** Hits of a search with their scores, asked of one database. */
async function answers(database: TestDatabase): Promise<readonly unknown[]> {
  const models = createModelSource({
    sql: database.sql,
    clock: () => world.nowMs,
    readTokenizer: async () => null,
  });
  const context = { ...world.context(), sql: database.sql, models, sleep: async () => undefined };
  const found: unknown[] = [];
  for (const query of ["the second of c in the layer", "jet"]) {
    const { hits } = searchReplySchema.parse(expectOk(await search(context, principalOf(TENANT), { query, k: 5 })));
    expect(hits.length).toBeGreaterThan(0);
    found.push(hits.map(({ document_id: id, chunk_index: index, score }) => [id, index, score.toFixed(6)]));
  }
  return found;
}

async function documentIds(database: TestDatabase): Promise<readonly string[]> {
  const text = "select document_id from documents where tenant_id = $1 and deleted_at is null order by 1";
  return expectOk(await database.ownerSql.query(statement(text, TENANT))).map((row) => String(row["document_id"]));
}

/** Changes one byte in the middle of an object, and gives what puts it back. */
async function damage(
  suffix: string,
  backupId: string,
): Promise<{ readonly key: string; readonly mend: () => Promise<void> }> {
  const { objects } = await world.bucket.list({ prefix: `backups/${backupId}/` });
  const key = objects.find((object) => object.key.endsWith(suffix))?.key ?? "";
  const object = await world.bucket.get(key);
  const bytes = new Uint8Array((await object?.arrayBuffer()) ?? []);
  const metadata = object?.customMetadata ?? {};
  const damaged = bytes.slice();
  const middle = Math.floor(damaged.length / 3);
  damaged[middle] = (damaged[middle] ?? 0) ^ 0x55;
  await world.bucket.put(key, damaged, { customMetadata: metadata });
  return { key, mend: async () => void (await world.bucket.put(key, bytes, { customMetadata: metadata })) };
}

describe("a restore", () => {
  it("has what came after the backup once the sweeper has run", async () => {
    await ingest(["a", "b"], "first");
    await backUp(world);
    await ingest(["b", "c"], "second");
    const database = await restored();
    expect(await documentIds(database)).toEqual(["a", "b"]);
    await sweepAll(world, database);
    expect(await replayed(database)).toEqual(await replayed(world.database));
    expect(await answers(database)).toEqual(await answers(world.database));
  });

  it("takes the backup of a moment, says what it would do in a dry run, and says when there is none", async () => {
    const first = await backUp(world);
    const at = new Date(world.nowMs + 1000).toISOString();
    const before = await hashes(world.database);
    await ingest(["later"], "later");
    await backUp(world);
    const database = await restored(at);
    expect(database.report.backup_id).toBe(first.backup_id);
    expect(await hashes(database)).toEqual(before);
    const empty = await openTestDatabase({ backend: "pglite" });
    opened.push(empty);
    expect(await restoreInto(world, empty, { isDryRun: true })).toMatchObject({ state: "done", tenants_total: 1 });
    expect(await documentIds(empty)).toEqual([]);
    expect(await restoreInto(world, empty, { at: "1999-01-01T00:00:00Z" })).toMatchObject({ code: "backup_missing" });
  });

  it("gives models the numbers they had, and the next one a number of its own", async () => {
    const database = await restored();
    const insert = `insert into embedding_models (fingerprint, model_name, revision, dimensions, max_input_tokens, state)
      values ('next', 'next', '1', 8, 64, 'shadow') returning model_id`;
    const rows = expectOk(await database.ownerSql.query(statement(insert)));
    expect(Number(rows[0]?.["model_id"])).toBeGreaterThan(1);
  });

  it("refuses a database in which a number means another model", async () => {
    const database = await openTestDatabase({ backend: "pglite" });
    opened.push(database);
    const insert = `insert into embedding_models (fingerprint, model_name, revision, dimensions, max_input_tokens, state)
      values ('other', 'other', '1', 8, 64, 'active')`;
    expectOk(await database.ownerSql.query(statement(insert)));
    expect(await restoreInto(world, database)).toMatchObject({ state: "failed", code: "models_conflict" });
  });
});

describe("a damaged object of a backup", () => {
  it("is named, and the rest is restored: a pack, lines of documents, other rows", async () => {
    await ingest(["x", "y"], "damaged");
    const { backup_id: backupId } = await backUp(world);
    const whole = await hashes(world.database);
    for (const [suffix, tables] of [
      ["documents-1.1.mpz", ["receipts", "wal_ledger", "batches"]],
      ["documents-1.jsonl.zst", ["receipts", "wal_ledger", "batches"]],
      ["rows-1.jsonl.zst", ["documents", "doc_embeddings", "wal_ledger"]],
      ["ledger-1.jsonl.zst", ["documents", "receipts"]],
    ] as const) {
      const { key, mend } = await damage(suffix, backupId);
      const database = await restored();
      expect(database.report.state, suffix).toBe("failed");
      expect([...new Set(database.report.damaged?.map((each) => each.key))], suffix).toEqual([key]);
      const found = await hashes(database);
      expect(
        tables.filter((table) => found[table] !== whole[table]),
        suffix,
      ).toEqual([]);
      await mend();
    }
    expect((await restored()).report).toMatchObject({ state: "done", damaged: [] });
  });

  it("is passed over where it is a manifest: the backup before and the WAL have the rest", async () => {
    await ingest(["z"], "manifest");
    const { backup_id: backupId } = await backUp(world);
    for (const suffix of ["tenant.json", "manifest.json"]) {
      const { key, mend } = await damage(suffix, backupId);
      const database = await restored();
      if (suffix === "tenant.json") expect(database.report.damaged).toMatchObject([{ key, code: "damaged" }]);
      else expect(database.report.backup_id).not.toBe(backupId);
      await sweepAll(world, database);
      expect(await replayed(database)).toEqual(await replayed(world.database));
      await mend();
    }
  });
});

describe("what was deleted after the backup", () => {
  it("stays deleted: a dropped batch with what came to it later, and an erased user", async () => {
    await ingest(["gone"], "dropped", { batchTag: "old" });
    await ingest(["ann-1"], "private", { userId: "ann" });
    await backUp(world);
    await ingest(["gone-too"], "dropped", { batchTag: "old" });
    const batch = { tenantId: TENANT, batchTag: "old" };
    expectOk(await dropExpiredBatch(world.context(), batch, { isSpent: () => false }));
    const user = { tenantId: TENANT, userId: "ann", requestedBy: "test" };
    for (let isDone = false; !isDone;)
      isDone = "sha256" in expectOk(await eraseUser(erasureContext(world, new Logs()), user));
    const database = await restored();
    expect(database.report).toMatchObject({ dropped_batch_count: 1, erasure_count: 1 });
    await sweepAll(world, database);
    const ids = await documentIds(database);
    expect(ids.filter((id) => id.startsWith("gone") || id.startsWith("ann"))).toEqual([]);
    expect(ids).toEqual(await documentIds(world.database));
    const rows = await database.ownerSql.query(
      statement("select count(*)::int as n from receipts where user_id = 'ann'"),
    );
    expect(expectOk(rows)[0]).toEqual({ n: 0 });
  });
});

describe("a crash at any await", () => {
  const expire = statement("update job_leases set expires_at = now() - interval '1 second'");

  it("of the backup leaves a run that the next one completes", { timeout: CAMPAIGN_MS_MAX }, async () => {
    let isThrough = false;
    for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += CRASH_EVERY) {
      world.nowMs += HOUR_MS;
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      try {
        await runTicked(backupContext(world, world.database, crash), BACKUP_JOB);
      } catch (error) {
        if (!crash.hasCrashed) throw error;
      }
      isThrough = !crash.hasCrashed;
      expectOk(await world.database.ownerSql.query(expire));
      if (!isThrough) expect(await backUp(world)).toMatchObject({ state: "done", skipped: [] });
    }
    expect(isThrough).toBe(true);
    const database = await restored();
    expect(database.report).toMatchObject({ state: "done", missing_document_count: 0 });
    expect(await hashes(database)).toEqual(await hashes(world.database));
  });

  it("of the restore leaves a database that the next run completes", { timeout: CAMPAIGN_MS_MAX }, async () => {
    await backUp(world);
    const wanted = await hashes(world.database);
    let isThrough = false;
    for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += CRASH_EVERY) {
      const database = await openTestDatabase({ backend: "pglite" });
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      try {
        await runTicked(backupContext(world, database, crash), RESTORE_JOB);
      } catch (error) {
        if (!crash.hasCrashed) throw error;
      }
      isThrough = !crash.hasCrashed;
      expectOk(await database.ownerSql.query(expire));
      if (!isThrough) expect(await restoreInto(world, database), String(callIndex)).toMatchObject({ state: "done" });
      expect(await hashes(database), String(callIndex)).toEqual(wanted);
      await database.close();
    }
    expect(isThrough).toBe(true);
  });
});

describe("old backups", () => {
  it("go with their deltas once enough full ones are newer", async () => {
    const full = await backUp(world, { afterHours: 8 * 24 });
    expect(full.kind).toBe("full");
    for (let week = 1; week < FULLS_KEPT; week += 1) await backUp(world, { afterHours: 7 * 24 });
    const prefixes = async (): Promise<readonly string[]> =>
      (await world.bucket.list({ prefix: "backups/", delimiter: "/" })).delimitedPrefixes;
    const [oldest] = await prefixes();
    expect(oldest).toBe(`backups/${full.backup_id}/`);
    await backUp(world, { afterHours: 24 });
    const last = await backUp(world, { afterHours: 7 * 24 });
    expect(last).toMatchObject({ kind: "full" });
    expect(await prefixes()).not.toContain(oldest);
    expect(await prefixes()).toHaveLength(FULLS_KEPT + 1);
    expect((await restored()).report).toMatchObject({ state: "done" });
  });
});
