import type { Scope } from "../../../src/lib/db/sql.ts";
import type { Callers } from "./callers.ts";
import type { Victim } from "./population.ts";
import type { SeededRandom } from "../../support/seeded-random.ts";
import type { Caller } from "./service.ts";

/** One attempt of somebody to see or change what another has. */
export interface Probe {
  readonly caller: Caller;
  /** Whose secrets the reply may hold. */
  readonly reader: Scope;
  readonly path: string;
  readonly init?: RequestInit;
  /** What is named is another's: it is not found, or refused. */
  readonly isAimed: boolean;
  /** A reply that holds this has told something. */
  readonly tells?: RegExp;
  /** What the run has to have tried, besides the route: a tier, a mode. */
  readonly kinds: readonly string[];
}

/** Who and what a probe can be made of. */
export interface Aim {
  readonly random: SeededRandom;
  readonly callers: Callers;
  readonly victim: Victim;
  /** Keys of others. */
  readonly keyIds: readonly string[];
}

/** How probes of one route are made, and how often next to the others. */
export interface ProbeMaker {
  readonly weight: number;
  readonly make: (aim: Aim) => Probe;
}

export const json = (body: unknown, method = "POST"): RequestInit => ({
  method,
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});
