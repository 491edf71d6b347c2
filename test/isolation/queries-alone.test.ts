import { afterAll, beforeAll, expect, it } from "vitest";
import { batchedSql } from "./support/batched-sql.ts";
import { openPopulation, type Population } from "./support/population.ts";
import { expectIsolated, PROBES_OF_VARIANT } from "./support/report.ts";
import { fingerprintOf, runProbes } from "./support/run-probes.ts";
import { runSeed } from "./support/run-seed.ts";
import { openService } from "./support/service.ts";

let population: Population;

beforeAll(async () => {
  population = await openPopulation();
});
afterAll(() => population?.close());

it("isolates for a superuser, whom no row security stops, by the conditions in the queries", async () => {
  const seed = runSeed();
  const service = openService(population, batchedSql(population.world.database.ownerSql), seed);
  const before = await fingerprintOf(population);
  const tally = await runProbes(population, service, { count: PROBES_OF_VARIANT, seed });
  expectIsolated("queries alone", { tally, service, seed });
  expect(await fingerprintOf(population)).toEqual(before);
});
