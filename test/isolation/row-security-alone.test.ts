import { afterAll, beforeAll, expect, it } from "vitest";
import { batchedSql } from "./support/batched-sql.ts";
import { openPopulation, type Population } from "./support/population.ts";
import { expectIsolated, PROBES_OF_VARIANT } from "./support/report.ts";
import { fingerprintOf, runProbes } from "./support/run-probes.ts";
import { runSeed } from "./support/run-seed.ts";
import { openService } from "./support/service.ts";
import { UnconditionalSql } from "./support/walls.ts";

let population: Population;

beforeAll(async () => {
  population = await openPopulation();
});
afterAll(() => population?.close());

it("isolates with the application's own conditions gone from every statement that reads", async () => {
  const seed = runSeed();
  const sql = new UnconditionalSql(batchedSql(population.world.database.sql));
  const service = openService(population, sql, seed);
  const before = await fingerprintOf(population);
  const tally = await runProbes(population, service, { count: PROBES_OF_VARIANT, seed });
  expectIsolated("row security alone", { tally, service, seed });
  expect([...sql.untouched], "statements without any condition to remove").toEqual([]);
  expect(sql.statementCount).toBeGreaterThan(PROBES_OF_VARIANT / 2);
  expect(await fingerprintOf(population)).toEqual(before);
});
