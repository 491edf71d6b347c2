import type { InTrace } from "../../../src/lib/base/trace.ts";

/** Counters of a consumer that count nothing. */
export const UNCOUNTED = {
  ended: () => undefined,
  indexed: () => undefined,
  searchable: () => undefined,
  retried: () => undefined,
  buried: () => undefined,
  compared: () => undefined,
};

/** A consumer whose work belongs to no trace. */
export const UNTRACED: InTrace = (_traceId, work) => work();
