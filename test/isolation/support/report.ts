import { expect } from "vitest";
import { TIERS } from "../../../src/lib/contract/scope.ts";
import { SEARCH_MODES } from "../../../src/lib/contract/search.ts";
import { PROBES, type Tally } from "./run-probes.ts";
import type { Service } from "./service.ts";

/** Probes of one variant. Three variants: more than fifty thousand a run. */
export const PROBES_OF_VARIANT = 17_000;

/** What every variant has to show: no leak, no row that only the last check held back, and each route, tier and mode tried. */
export function expectIsolated(
  name: string,
  { tally, service, seed }: { tally: Tally; service: Service; seed: number },
): void {
  // oxlint-disable-next-line no-console -- the count is part of what the suite says
  console.log(`isolation, ${name}: ${tally.probeCount} probes, ISOLATION_SEED=${seed}`);
  expect(Object.fromEntries(tally.leaks), "leaks by route").toEqual({});
  expect(Object.fromEntries(service.violations), "rows that only the last check held back").toEqual({});
  expect([tally.failures, service.logLines], "failures").toEqual([[], []]);
  expect([...tally.countOfRoute.keys()].sort()).toEqual(Object.keys(PROBES).sort());
  for (const tier of TIERS)
    for (const mode of SEARCH_MODES) expect(tally.countOfKind.get(`search ${tier} ${mode}`)).toBeGreaterThan(50);
  expect(tally.probeCount).toBe(PROBES_OF_VARIANT);
}
