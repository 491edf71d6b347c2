import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectOk } from "../support/database.ts";
import { batchedSql } from "./support/batched-sql.ts";
import { openPopulation, type Population } from "./support/population.ts";
import { runProbes } from "./support/run-probes.ts";
import { runSeed } from "./support/run-seed.ts";
import { openService, type Service } from "./support/service.ts";
import { disguised, UnconditionalSql } from "./support/walls.ts";

/** Enough that every route meets what is not its caller's. */
const COUNT = 1_500;

/** Routes whose replies hold rows of the store. */
const ROW_ROUTES = [
  "inspectQuarantined",
  "listArtifacts",
  "listDeadLetters",
  "listKeys",
  "listQuarantine",
  "listReceipts",
  "readArtifact",
  "readArtifactContent",
  "readProfile",
  "readReceipt",
  "readTrace",
  "search",
];

let population: Population;
const seed = runSeed();

beforeAll(async () => {
  population = await openPopulation();
});
afterAll(() => population?.close());

const placesOf = (service: Service): string[] => [...service.violations.keys()].sort();

describe(`a planted leak (ISOLATION_SEED=${seed})`, () => {
  it("of both queries and row security is held back by the last check, counted and logged without content", async () => {
    const sql = new UnconditionalSql(batchedSql(population.world.database.ownerSql));
    const service = openService(population, sql, seed);
    const tally = await runProbes(population, service, { count: COUNT, seed });
    for (const route of ROW_ROUTES) expect(tally.leaks.get(route) ?? [], route).toEqual([]);
    expect(placesOf(service)).toEqual([
      "artifacts",
      "batches",
      "dead_letters",
      "keys",
      "profiles",
      "quarantine",
      "receipts",
      "search",
      "traces",
    ]);
    expect(service.logLines.length).toBeGreaterThan(100);
    const everyone = { tenantId: "nobody", userId: "" };
    expect(population.secrets.foreignIn(service.logLines.join("\n"), everyone)).toEqual([]);
  });

  it("of all walls is found by the probes, in every route that shows rows", async () => {
    const sql = disguised(new UnconditionalSql(batchedSql(population.world.database.ownerSql)));
    const service = openService(population, sql, seed + 1);
    const tally = await runProbes(population, service, { count: COUNT, seed });
    expect([...tally.leaks.keys()]).toEqual(expect.arrayContaining(ROW_ROUTES));
  });

  it("of one table's row security is found by the probes that let it stand alone", async () => {
    const { sql, ownerSql } = population.world.database;
    const alter = async (text: string) =>
      expectOk(await ownerSql.query({ text: `alter table receipts ${text} row level security`, params: [] }));
    await alter("disable");
    const service = openService(population, new UnconditionalSql(batchedSql(sql)), seed + 2);
    await runProbes(population, service, { count: COUNT, seed });
    await alter("enable");
    // Both show receipts.
    expect(placesOf(service)).toEqual(["receipts", "traces"]);
  });
});
