import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { DAY_MS, HOUR_MS } from "../../src/lib/base/durations.ts";
import { CANARIES, songOf } from "../../src/lib/flows/isolation/canaries.ts";
import { ISOLATION_CANARY_JOB } from "../../src/lib/flows/isolation/canary-job.ts";
import { createKey } from "../../src/lib/flows/keys/manage-keys.ts";
import type { Sql } from "../../src/lib/db/sql.ts";
import { expectOk, statement } from "../support/database.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, type World } from "./support/world.ts";

const SEARCHES = CANARIES.length * (CANARIES.length - 1) * 3;
const HEALTHY = { searchCount: SEARCHES, foreignCount: 0, missingCount: 0, failedCount: 0 };

const count = z.int();
const reportSchema = z.strictObject({
  searchCount: count,
  foreignCount: count,
  missingCount: count,
  failedCount: count,
});

let world: World;
let counted: [string, object, number][] = [];
let lines: string[] = [];

beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world?.close());
beforeEach(() => {
  counted = [];
  lines = [];
});

async function indexAll(): Promise<void> {
  await world.indexQueued();
}

/** One hourly run. Sleeping lets time pass and, where there is a consumer, indexes what waits. */
async function run({ sql, hasConsumer = true }: { sql?: Sql; hasConsumer?: boolean } = {}) {
  world.nowMs += HOUR_MS;
  const base = world.context();
  const note = (level: string) => (event: string, fields: object) =>
    void lines.push(JSON.stringify({ level, event, ...fields }));
  const context = {
    ...base,
    sql: sql ?? base.sql,
    sleep: async (delayMs: number) => {
      world.nowMs += delayMs;
      if (hasConsumer) await indexAll();
    },
    log: { info: note("info"), warn: note("warn"), error: note("error") },
    metrics: { count: (name: string, labels: object, by: number) => void counted.push([name, labels, by]) },
  };
  return reportSchema.parse(expectOk(await runTicked(context, ISOLATION_CANARY_JOB)).report);
}

async function lastOutcome(): Promise<unknown> {
  const text = "select outcome from job_runs where job_name = 'isolation_canary' order by scheduled_at desc limit 1";
  return expectOk(await world.database.sql.query(statement(text)))[0]?.["outcome"];
}

const walCount = async (): Promise<number> =>
  (await world.bucket.list({ prefix: "wal/jeeves-system-" })).objects.length;

describe("the canary of isolation", () => {
  it("says that it is not heard as long as nothing is indexed, and asks for its documents once a day", async () => {
    expect(await run({ hasConsumer: false })).toEqual({ ...HEALTHY, missingCount: 20 });
    await run({ hasConsumer: false });
    expect(await lastOutcome()).toBe("partial");
    expect(await walCount()).toBe(CANARIES.length);
    expect(lines).toContainEqual(expect.stringContaining("isolation_canary_silent"));
    expect(counted).toEqual([]);
  });

  it("finds each secret for its owner and none for anybody else, and uses its documents again", async () => {
    await indexAll();
    expect(await run()).toEqual(HEALTHY);
    expect(await run()).toEqual(HEALTHY);
    expect(await lastOutcome()).toBe("done");
    expect([await walCount(), lines, counted]).toEqual([CANARIES.length, [], []]);
  });

  it("fails, counts and logs without content when rows of others come back and the last check holds them", async () => {
    const leaking = withoutUsers(world.database.ownerSql);
    const report = await run({ sql: leaking });
    expect(report.foreignCount).toBeGreaterThan(SEARCHES);
    expect(await lastOutcome()).toBe("failed");
    expect(counted).toEqual([["isolation_violations_total", { place: "canary" }, report.foreignCount]]);
    const errors = lines.filter((line) => line.includes('"error"'));
    expect(errors).toHaveLength(1);
    for (const { bird } of CANARIES) expect(lines.join()).not.toContain(bird);
  });

  it("fails also when the last check is blind", async () => {
    const leaking = withoutUsers(world.database.ownerSql);
    const blind: Sql = {
      query: (asked, options) => leaking.query(asked, options),
      async transaction(scope, statements, options) {
        const read = await leaking.transaction(scope, statements, options);
        if (!read.ok) return read;
        const { tenantId: tenant_id, userId: user_id } = scope;
        const claim = (row: object) => ("tenant_id" in row ? { ...row, tenant_id, user_id } : { ...row });
        return { ok: true, value: read.value.map((rows) => rows.map(claim)) };
      },
    };
    expect((await run({ sql: blind })).foreignCount).toBeGreaterThan(0);
    expect(await lastOutcome()).toBe("failed");
  });

  it("comes back by itself when its documents were deleted", async () => {
    for (const table of ["doc_embeddings", "documents"])
      expectOk(
        await world.database.ownerSql.query(statement(`delete from ${table} where tenant_id like 'jeeves-system-%'`)),
      );
    world.nowMs += DAY_MS;
    expect(await run()).toEqual(HEALTHY);
  });

  it("lives in tenants of which nobody gets a key", async () => {
    const context = world.context();
    const keys = { sql: context.sql, newId: context.newUlid, fillRandom: () => {}, clock: context.clock };
    for (const { principal } of CANARIES) {
      const request = {
        tenantId: principal.tenantId,
        userId: "",
        scopes: ["search"] as const,
        label: "",
        expiresAtMs: null,
      };
      expect(await createKey(keys, request)).toEqual({ ok: false, error: { code: "tenant_unknown" } });
    }
    expect(new Set(CANARIES.map((canary) => songOf(canary, "doc"))).size).toBe(CANARIES.length);
  });
});

/** The store as a superuser sees it, with the conditions on tenant and user gone from what is read. */
function withoutUsers(owner: Sql): Sql {
  const open = (text: string): string =>
    text.replace(/\be\.(?:tenant_id = \$\d+::text|user_id = any\(\$\d+::text\[\]\))/g, "($& or true)");
  return {
    query: (asked, options) => owner.query(asked, options),
    transaction: (scope, statements, options) =>
      owner.transaction(
        scope,
        statements.map(({ text, params }) => ({ text: open(text), params })),
        options,
      ),
  };
}
