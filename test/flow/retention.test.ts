import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { DAY_MS, MINUTE_MS } from "../../src/lib/base/durations.ts";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import { tenantPolicySchema } from "../../src/lib/contract/policy.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { RETENTION_JOB } from "../../src/lib/flows/retention/retention-job.ts";
import { sweep, SWEEP_BOUNDS } from "../../src/lib/flows/sweep/sweep.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { CrashPoint } from "./support/crashing.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, type World } from "./support/world.ts";

/** Bounds the search for the last crash point. */
const CALLS_MAX = 60;

const documentsOf = (names: readonly string[], words: string): DocumentInput[] =>
  names.map((id) => ({ id, text: `The ${words} of ${id} is in the boundary layer of the jet, and stays there.` }));

let tenantCount = 0;
function newTenant(): string {
  tenantCount += 1;
  return `keeping-${String(tenantCount).padStart(3, "0")}`;
}

const reportSchema = z.object({
  batchCount: z.int(),
  documentCount: z.int(),
  receiptCount: z.int(),
  replyCount: z.int(),
  openErasureCount: z.int(),
  failedCount: z.int(),
  wal: z.string(),
  batches: z.array(z.object({ tenant_id: z.string(), batch_tag: z.string() })),
});

const backends = await availableBackends(["pglite", "native"]);

describe.each(backends)("the retention job on %s", (backend) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());

  const context = (crash?: CrashPoint) => world.context(crash);

  async function setPolicy(tenantId: string, retention: object): Promise<void> {
    const policy = JSON.stringify(tenantPolicySchema.parse({ retention }));
    const text = `insert into tenants (tenant_id, policy) values ($1, $2::jsonb)
      on conflict (tenant_id) do update set policy = excluded.policy`;
    const scope = { tenantId, userId: "*" };
    expectOk(await world.database.ownerSql.transaction(scope, [statement(text, tenantId, policy)]));
  }

  /** Batches "old", "pinned" and "new"; one document of "old" has a newer version in "new". */
  async function populate(tenantId: string): Promise<void> {
    await world.ingest(tenantId, documentsOf(["a", "b", "c"], "first token"), { batchTag: "old", key: "once" });
    await world.ingest(tenantId, documentsOf(["p"], "pinned wing"), { batchTag: "pinned" });
    await world.ingest(tenantId, documentsOf(["c", "d"], "second flow"), { batchTag: "new" });
    for (const message of world.take()) expectOk(await indexRange(context(), message));
    const age =
      "update batches set last_applied_at = now() - interval '40 days' where tenant_id = $1 and batch_tag <> 'new'";
    expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [statement(age, tenantId)]));
  }

  async function run(more: { isDryRun?: boolean; crash?: CrashPoint } = {}): Promise<z.infer<typeof reportSchema>> {
    const ran = await runTicked(context(more.crash), RETENTION_JOB, { isDryRun: more.isDryRun ?? false });
    return reportSchema.parse(expectOk(ran).report);
  }

  async function documentIds(tenantId: string): Promise<readonly string[]> {
    const rows = await world.rows(tenantId, "select document_id from documents where deleted_at is null order by 1");
    return rows.map((row) => String(row["document_id"]));
  }

  it("keeps batches for ever where the policy says nothing", async () => {
    const tenantId = newTenant();
    await setPolicy(tenantId, {});
    await populate(tenantId);
    expect(await run()).toMatchObject({ batchCount: 0, documentCount: 0 });
    expect(await documentIds(tenantId)).toEqual(["a", "b", "c", "d", "p"]);
  });

  it("drops an old batch, but for what is pinned and what has a newer version; a dry run says the same and writes nothing", async () => {
    const tenantId = newTenant();
    await setPolicy(tenantId, { batch_days: 30, pinned: ["pinned"] });
    await populate(tenantId);
    const expected = {
      batchCount: 1,
      documentCount: 2,
      receiptCount: 3,
      failedCount: 0,
      batches: [{ tenant_id: tenantId, batch_tag: "old" }],
    };
    expect(await run({ isDryRun: true })).toMatchObject(expected);
    expect(await documentIds(tenantId)).toEqual(["a", "b", "c", "d", "p"]);
    const report = await run();
    expect(report).toMatchObject(expected);
    expect(report.wal).toContain("job pack");
    expect(await documentIds(tenantId)).toEqual(["c", "d", "p"]);
    const chunks = await world.rows(tenantId, "select distinct batch_tag from doc_embeddings order by 1");
    expect(chunks.map((row) => row["batch_tag"])).toEqual(["new", "pinned"]);
    const left = await world.rows(
      tenantId,
      "select batch_tag from receipts union select batch_tag from batches order by 1",
    );
    expect(left.map((row) => row["batch_tag"])).toEqual(["new", "pinned"]);
    expect(await world.bucket.head(`dropped_batches/${tenantId}/old.json`)).not.toBeNull();
    expect((await world.bucket.list({ prefix: `batches/${tenantId}/old/` })).objects).toEqual([]);
    expect((await world.bucket.list({ prefix: `wal/${tenantId}/` })).objects).toHaveLength(3);
    expect(await run()).toMatchObject({ batchCount: 0 });
  });

  it("leaves nothing that the sweeper brings back", async () => {
    const tenantId = newTenant();
    await setPolicy(tenantId, { batch_days: 30 });
    await populate(tenantId);
    await run();
    world.nowMs += 3 * MINUTE_MS;
    const options = {
      ...SWEEP_BOUNDS,
      sweptAtMs: world.nowMs - 2.5 * MINUTE_MS,
      isSpent: () => false,
      isDryRun: false,
    };
    await sweep(context(), options, { completeUpTo: {}, stoppedAt: null });
    for (const message of world.take()) expectOk(await indexRange(context(), message));
    expect(await documentIds(tenantId)).toEqual(["c", "d"]);
  });

  it("says which erasures were begun and never finished", async () => {
    const tenantId = newTenant();
    await setPolicy(tenantId, {});
    await populate(tenantId);
    const begun = `insert into user_erasures (tenant_id, user_hash, erasure_id, erased_before, erased_at, progress)
      values ($1, user_hash('ann'), '1', '1', now() - interval '2 hours', '{}'), ($1, user_hash('bob'), '1', '1', now() - interval '2 hours', null)`;
    const scope = { tenantId, userId: "*" };
    expectOk(await world.database.ownerSql.transaction(scope, [statement(begun, tenantId)]));
    expect((await run()).openErasureCount).toBe(1);
  });

  it("removes remembered replies past their days, and none before", async () => {
    const tenantId = newTenant();
    await setPolicy(tenantId, { wal_days: 7 });
    await populate(tenantId);
    const replies = async (): Promise<number> =>
      (await world.bucket.list({ prefix: `idempotency/${tenantId}/` })).objects.length;
    await run();
    expect(await replies()).toBe(1);
    const before = world.nowMs;
    world.nowMs = Date.now() + 8 * DAY_MS;
    expect((await run({ isDryRun: true })).replyCount).toBeGreaterThan(0);
    expect(await replies()).toBe(1);
    await run();
    expect(await replies()).toBe(0);
    world.nowMs = before;
  });
});

describe("a crash at any await of the retention job", () => {
  it("leaves a batch that the next run drops, and everything else as it was", async () => {
    const world = await openWorld();
    const tenantId = newTenant();
    const scope = { tenantId, userId: "*" };
    const policy = JSON.stringify(tenantPolicySchema.parse({ retention: { batch_days: 30 } }));
    const insert = statement("insert into tenants (tenant_id, policy) values ($1, $2::jsonb)", tenantId, policy);
    expectOk(await world.database.ownerSql.transaction(scope, [insert]));
    await world.ingest(tenantId, documentsOf(["kept"], "kept flow"), { batchTag: "kept" });
    let isThrough = false;
    for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += 1) {
      const batchTag = `old-${callIndex}`;
      await world.ingest(tenantId, documentsOf([`x-${callIndex}`], "token"), { batchTag });
      await world.indexQueued();
      const age =
        "update batches set last_applied_at = now() - interval '40 days' where tenant_id = $1 and batch_tag = $2";
      expectOk(await world.database.ownerSql.transaction(scope, [statement(age, tenantId, batchTag)]));
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      try {
        await runTicked(world.context(crash), RETENTION_JOB);
      } catch (error) {
        if (!crash.hasCrashed) throw error;
      }
      isThrough = !crash.hasCrashed;
      const expire = statement("update job_leases set expires_at = now() - interval '1 second'");
      expectOk(await world.database.ownerSql.transaction({ tenantId: "", userId: "" }, [expire]));
      expectOk(await runTicked(world.context(), RETENTION_JOB));
      const rows = await world.rows(
        tenantId,
        "select batch_tag from documents union select batch_tag from doc_embeddings union select batch_tag from receipts union select batch_tag from batches",
      );
      expect({ callIndex, left: rows.map((row) => row["batch_tag"]) }).toEqual({ callIndex, left: ["kept"] });
    }
    expect(isThrough).toBe(true);
    await world.close();
  });
});
