import type { LogFields } from "../lib/base/log.ts";
import type { Problem } from "../lib/contract/problem.ts";
import type { Context } from "./context.ts";

/** Counts and logs that rows of others were held back: how many and where, nothing of what they hold. */
export function noteViolation(
  { metrics, log }: Pick<Context, "metrics" | "log">,
  { place, foreignCount }: NonNullable<Problem["isolation"]>,
  fields: LogFields,
): void {
  metrics.count("isolation_violations_total", { place }, foreignCount);
  log.error("isolation_violation", { ...fields, place, foreign_count: foreignCount });
}
