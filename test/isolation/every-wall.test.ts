import { afterAll, beforeAll, expect, it } from "vitest";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { expectOk } from "../support/database.ts";
import { batchedSql } from "./support/batched-sql.ts";
import { openPopulation, type Population } from "./support/population.ts";
import { expectIsolated, PROBES_OF_VARIANT } from "./support/report.ts";
import { fingerprintOf, PROBES, runProbes } from "./support/run-probes.ts";
import { runSeed } from "./support/run-seed.ts";
import { openService } from "./support/service.ts";
import { ROUTES } from "./support/worker-surface.ts";
import { PROBED_IN_WORKERD, WITHOUT_PROBES } from "./support/other-routes.ts";

let population: Population;

beforeAll(async () => {
  population = await openPopulation();
});
afterAll(() => population?.close());

it("knows every route: each is probed, or says why there is nothing to probe", () => {
  const known = [...Object.keys(PROBES), ...Object.keys(PROBED_IN_WORKERD), ...Object.keys(WITHOUT_PROBES)];
  expect(ROUTES.map(({ operationId }) => operationId).sort()).toEqual(known.sort());
});

it("shows nobody what another has, and lets nobody change it", async () => {
  const seed = runSeed();
  const service = openService(population, batchedSql(population.world.database.sql), seed);
  const before = await fingerprintOf(population);
  const tally = await runProbes(population, service, { count: PROBES_OF_VARIANT, seed });
  for (const message of population.world.take()) expectOk(await indexRange(population.world.context(), message));
  expectIsolated("every wall", { tally, service, seed });
  expect(await fingerprintOf(population)).toEqual(before);
});
