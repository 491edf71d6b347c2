/** Runs each query many times and says what it cost, which indexes it used and what is wrong with its plan. */
import type { Sql } from "../../src/lib/db/sql.ts";
import { percentile } from "../support/statistics.ts";
import { examine, planFaults } from "./examine.ts";
import type { HotQuery } from "./hot-queries.ts";

export interface Measured {
  readonly name: string;
  readonly p50Ms: number;
  readonly p95Ms: number;
  /** Pages of 8 KB, of the median run. */
  readonly bufferCount: number;
  readonly rowCount: number;
  readonly indexes: readonly string[];
  readonly faults: readonly string[];
}

/** `turns` runs of one query, each with other parameters; the first, which finds nothing in memory, counts as the others do. */
export async function measureQuery(sql: Sql, queryOf: (turn: number) => HotQuery, turns: number): Promise<Measured> {
  const runs = [];
  const faults = new Set<string>();
  for (let turn = 0; turn < turns; turn += 1) {
    const query = queryOf(turn);
    const examined = await examine(sql, query);
    for (const fault of planFaults(query, examined)) faults.add(fault);
    runs.push(examined);
  }
  const times = runs.map(({ planningMs, executionMs }) => planningMs + executionMs);
  return {
    name: queryOf(0).name,
    p50Ms: percentile(times, 0.5),
    p95Ms: percentile(times, 0.95),
    bufferCount: percentile(
      runs.map((run) => run.bufferCount),
      0.5,
    ),
    rowCount: percentile(
      runs.map((run) => run.rowCount),
      0.5,
    ),
    indexes: [...new Set(runs.flatMap((run) => run.indexes))].sort(),
    faults: [...faults],
  };
}
