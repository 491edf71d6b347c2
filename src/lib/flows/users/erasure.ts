/** One erasure of a user on its way: what every step of it is handed. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import type { Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import {
  ERASURE_PLACES,
  erasureCountsSchema,
  type ErasureCounts,
  type ErasurePlace,
} from "../../contract/user-erasure.ts";
import type { UserName } from "../../db/queries/user-erasures.ts";
import type { Sql } from "../../db/sql.ts";
import type { PackContext } from "../packs/context.ts";
import type { EraseSessionContext } from "../sessions/erase-session.ts";

export interface EraseUserContext extends EraseSessionContext, PackContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly clock: Clock;
}

/** Names of the steps, in their order. */
export const ERASURE_STEPS = [
  "sessions",
  "session_objects",
  "rows",
  "wal",
  "quarantine",
  "replies",
  "packs",
  "backups",
  "dictionaries",
  "recount",
] as const;
export type ErasureStep = (typeof ERASURE_STEPS)[number];

export const progressSchema = z.strictObject({
  requested_by: z.string(),
  step: z.enum(ERASURE_STEPS),
  /** Where the step goes on: a key of R2, or '' at its beginning. */
  after: z.string(),
  round: z.int().min(1),
  found: erasureCountsSchema,
  /** Objects that cannot be read, met in this round. */
  unreadable: z.int().min(0),
});
export type Progress = z.infer<typeof progressSchema>;

export interface Erasure extends UserName {
  readonly erasureId: string;
  /** Versions before it are gone. */
  before: string;
  /** The same moment by the database's clock. */
  at: Date;
  progress: Progress;
  readonly budget: CallBudget;
}

/** What one request may do. R2 and Postgres calls of a Worker's request are limited to a thousand; a page of rows and one object count as one. */
export class CallBudget {
  readonly #clock: Clock;
  readonly #endsAtMs: number;
  #left: number;

  constructor(clock: Clock, { timeMsMax, unitsMax }: { readonly timeMsMax: number; readonly unitsMax: number }) {
    this.#clock = clock;
    this.#endsAtMs = clock() + timeMsMax;
    this.#left = unitsMax;
  }

  spend(units = 1): void {
    this.#left -= units;
  }

  isSpent(): boolean {
    return this.#left <= 0 || this.#clock() >= this.#endsAtMs;
  }
}

/** done: the next step begins. Not done: the budget is spent, or the step has to begin anew. */
export type StepResult = Result<{ readonly done: boolean }, Problem>;

export function noCounts(): ErasureCounts {
  // Every place is named.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries(ERASURE_PLACES.map((place) => [place, 0])) as ErasureCounts;
}

/** Counts an object that nobody can read. */
export function noteUnreadable(erasure: Erasure): void {
  erasure.progress = { ...erasure.progress, unreadable: erasure.progress.unreadable + 1 };
}

/** Adds to what was found in a place. */
export function noteFound(erasure: Erasure, place: ErasurePlace, count: number): void {
  const { progress } = erasure;
  erasure.progress = { ...progress, found: { ...progress.found, [place]: (progress.found[place] ?? 0) + count } };
}
