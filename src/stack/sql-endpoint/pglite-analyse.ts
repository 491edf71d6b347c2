/**
 * Statistics for the planner of a PGlite, which has no autovacuum: without them it takes a table of two rows and one of a million for the same. Follows the rule of
 * PostgreSQL's own (`autovacuum_analyze_threshold`, `autovacuum_analyze_scale_factor`).
 */
import type { PGlite } from "@electric-sql/pglite";

/** Jobs that may have written, between two looks at how much was changed: a look takes about two milliseconds. */
const JOBS_BETWEEN_LOOKS = 20;
/** A table is analysed after so many changed rows and so large a share of it. */
const CHANGED_ROWS_MIN = 50;
const CHANGED_SHARE_MIN = 0.1;
/** Rows of a sample are 300 times this: 3,000, since rows with vectors are wide and the session waits. */
const STATISTICS_TARGET = 10;
/** Tables of one look. */
const TABLES_MAX = 50;

const CHANGED_TABLES = `select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables
  where n_mod_since_analyze > ${CHANGED_ROWS_MIN} + ${CHANGED_SHARE_MIN} * n_live_tup order by n_mod_since_analyze desc limit ${TABLES_MAX}`;

/** To be called after each job that may have written, while no other has the session; seldom does anything. Rejects as the instance does. */
export function createAutoAnalyse(database: PGlite): () => Promise<void> {
  let jobs = 0;
  return async () => {
    jobs += 1;
    if (jobs < JOBS_BETWEEN_LOOKS) return;
    jobs = 0;
    // Otherwise what the session counted is seen a second later, or never where it is not idle.
    await database.exec("select pg_stat_force_next_flush()");
    const changed = await database.query<{ readonly name: string }>(CHANGED_TABLES);
    for (const { name } of changed.rows)
      await database.exec(
        `set default_statistics_target = ${STATISTICS_TARGET}; analyze ${name}; reset default_statistics_target`,
      );
  };
}
