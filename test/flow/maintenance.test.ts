import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { JobCursor, JobRun } from "../../src/lib/flows/jobs/job.ts";
import { MAINTENANCE_JOB } from "../../src/lib/flows/jobs/maintenance-job.ts";
import { TimeBudget } from "../../src/lib/flows/jobs/time-budget.ts";
import type { Sql } from "../../src/lib/db/sql.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { FIRST_RUN, runTicked } from "./support/run-ticked.ts";
import { openWorld, type World } from "./support/world.ts";

const reportSchema = z.object({
  databases: z.array(
    z.object({
      database: z.string(),
      vacuumed: z.array(z.string()),
      notAllowedCount: z.int(),
      failed: z.array(z.string()),
      missingIndexes: z.array(z.object({ name: z.string(), partitionRows: z.number(), build: z.string() })),
      invalidIndexes: z.array(z.string()),
    }),
  ),
});
const BACKENDS = await availableBackends(["pglite", "native", "debian"]);
const VACUUM = /^vacuum \(analyze\) (\w+)$/;

describe.each(BACKENDS)("maintenance, on %s", (backend) => {
  let world: World;
  let vacuums: string[] = [];
  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());
  beforeEach(() => {
    vacuums = [];
  });

  /** The same database, that notes what is vacuumed. */
  const watched = (sql: Sql): Sql => ({
    transaction: (...asked) => sql.transaction(...asked),
    query(asked, options) {
      const table = VACUUM.exec(asked.text)?.[1];
      if (table !== undefined) vacuums.push(table);
      return sql.query(asked, options);
    },
  });
  const contextOf = (sql: Sql) => ({ ...world.context(), databases: new Map([["home", watched(sql)]]) });
  const owner = (text: string, ...params: unknown[]) => world.database.ownerSql.query(statement(text, ...params));
  const reportOf = async (sql: Sql, isDryRun = false) => {
    const { report } = expectOk(await runTicked(contextOf(sql), MAINTENANCE_JOB, { isDryRun }));
    const [database] = reportSchema.parse(report).databases;
    if (database === undefined) throw new Error("no database in the report");
    return database;
  };

  it("vacuums every table as their owner, each once, and only names them in a dry run", async () => {
    const dry = await reportOf(world.database.ownerSql, true);
    expect([vacuums, dry.failed]).toEqual([[], []]);
    const report = await reportOf(world.database.ownerSql);
    expect(report).toMatchObject({ database: "home", notAllowedCount: 0, failed: [] });
    expect(vacuums).toEqual(report.vacuumed);
    expect(report.vacuumed).toEqual(dry.vacuumed);
    expect(new Set(vacuums).size).toBe(vacuums.length);
    for (const table of ["documents", "doc_embeddings_p00", "doc_embeddings_p15", "job_runs"])
      expect(vacuums).toContain(table);
  });

  it("vacuums as the role of the Workers what it was granted, and says how much it may not", async () => {
    const refused = await reportOf(world.database.sql);
    expect([vacuums, refused.failed]).toEqual([[], []]);
    expect(refused.notAllowedCount).toBeGreaterThan(20);
    if (!(await owner("grant maintain on documents to jeeves_app")).ok) {
      // Before PostgreSQL 17 there is no such privilege.
      expect(backend).toBe("debian");
      return;
    }
    const granted = await reportOf(world.database.sql);
    expect(granted).toMatchObject({ vacuumed: ["documents"], notAllowedCount: refused.notAllowedCount - 1 });
  });

  it("stops at its budget and goes on behind the last table, keeping its place before each", async () => {
    const kept: JobCursor[] = [];
    let cursor: JobCursor = {};
    let rounds = 0;
    for (let outcome = "partial"; outcome === "partial"; rounds++) {
      let looks = 0;
      const run: JobRun = {
        ...FIRST_RUN,
        cursor,
        // Spent at the eleventh look: ten tables.
        budget: new TimeBudget(() => (looks++ > 10 ? 1 : 0), 1),
        checkpoint: async (place) => kept.push(place) > 0,
      };
      ({ cursor, outcome } = await MAINTENANCE_JOB.run(contextOf(world.database.ownerSql), run));
    }
    expect(rounds).toBeGreaterThan(2);
    expect(vacuums).toEqual([...new Set(vacuums)].toSorted());
    expect(kept.map((place) => place["after_table"])).toEqual(["", ...vacuums.slice(0, -1)]);
  });

  it("ends without another table when its lease was lost", async () => {
    const run = { ...FIRST_RUN, checkpoint: async () => false };
    expect(await MAINTENANCE_JOB.run(contextOf(world.database.ownerSql), run)).toMatchObject({ outcome: "partial" });
    expect(vacuums).toEqual([]);
  });

  it("names the indexes that a large partition lacks, and those whose build was cut off", async () => {
    const pretend = (text: string) =>
      world.database.ownerSql.transaction({ tenantId: "", userId: "" }, [
        statement("select set_config('allow_system_table_mods', 'on', true)"),
        statement(text),
      ]);
    // Each build of an index counts the rows anew.
    const grow = () => pretend("update pg_class set reltuples = 30000 where relname = 'doc_embeddings_p03'");
    expectOk(await grow());
    const { missingIndexes: missing } = await reportOf(world.database.sql);
    if (backend === "debian") {
      expect(missing).toEqual([]);
      return;
    }
    expect(missing.map(({ name, partitionRows }) => [name, partitionRows])).toEqual([
      ["doc_embeddings_p03_lexemes", 30_000],
      ["doc_embeddings_p03_hnsw_m1", 30_000],
    ]);
    expectOk(await owner(missing[0]?.build ?? ""));
    expectOk(await grow());
    expect((await reportOf(world.database.sql)).missingIndexes.map(({ name }) => name)).toEqual([
      "doc_embeddings_p03_hnsw_m1",
    ]);
    expectOk(
      await pretend(
        "update pg_index set indisvalid = false where indexrelid = 'doc_embeddings_p03_lexemes'::regclass returning 1",
      ),
    );
    expect((await reportOf(world.database.sql)).invalidIndexes).toEqual(["doc_embeddings_p03_lexemes"]);
  });
});
