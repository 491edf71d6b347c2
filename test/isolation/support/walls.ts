/** The walls, taken away one at a time: what holds then, the others hold alone. */
import type { Row, Sql, Statement } from "../../../src/lib/db/sql.ts";
import { ok } from "../../../src/lib/base/result.ts";

/**
 * The application's own conditions on tenant and user. Joins between tables (`d.tenant_id = e.tenant_id`) stay: they tie rows together and name
 * no caller.
 */
const CONDITIONS: readonly RegExp[] = [
  // `tenant_id = $1`, `e.tenant_id = $3::text`
  /\b(?:\w+\.)?tenant_id = \$\d+(?:::text)?/g,
  // `user_id = $2`, `e.user_id = any($1::text[])`
  /\b(?:\w+\.)?user_id = (?:any\(\$\d+(?:::text\[\])?\)|\$\d+(?:::text)?)/g,
  // `($2 = '*' or r.user_id in ('', $2))`, `user_id in ('', p.user_id)`
  /\b(?:\w+\.)?user_id in \('', (?:\$\d+|\w+\.user_id)\)/g,
];
const WRITES = /\b(?:insert into|update \w+|delete from)\b/;

/** A statement that asks for every tenant and user. The parameters stay, so that their types do. */
export function withoutConditions({ text, params }: Statement): { statement: Statement; removedCount: number } {
  let removedCount = 0;
  const open = CONDITIONS.reduce(
    (current, condition) =>
      current.replace(condition, (found) => {
        removedCount += 1;
        return `(${found} or true)`;
      }),
    text,
  );
  return { statement: { text: open, params }, removedCount };
}

/** Statements that may have no condition: settings, locks, models, jobs. */
const OF_THE_SYSTEM = /^\s*select (?:set_config|pg_advisory_xact_lock)|\b(?:embedding_models|job_leases|job_runs)\b/;

/** Row security stands alone: the application's conditions are gone from every statement, and each one had some. */
export class UnconditionalSql implements Sql {
  readonly #inner: Sql;
  statementCount = 0;
  /** Texts in which nothing was found to remove. */
  readonly untouched = new Set<string>();

  constructor(inner: Sql) {
    this.#inner = inner;
  }

  transaction: Sql["transaction"] = (scope, statements, options) =>
    this.#inner.transaction(
      scope,
      statements.map((each) => this.#open(each)),
      options,
    );

  query: Sql["query"] = (statement, options) => this.#inner.query(this.#open(statement), options);

  #open(statement: Statement): Statement {
    // What writes is probed as it is: without its conditions a deletion would take the caller's own rows.
    if (WRITES.test(statement.text)) return statement;
    const opened = withoutConditions(statement);
    this.statementCount += opened.removedCount > 0 ? 1 : 0;
    if (opened.removedCount === 0 && !OF_THE_SYSTEM.test(statement.text)) this.untouched.add(statement.text);
    return opened.statement;
  }
}

/** The last check sees nothing: every row claims to be the reader's. */
export function disguised(inner: Sql): Sql {
  return {
    query: (statement, options) => inner.query(statement, options),
    async transaction(scope, statements, options) {
      const read = await inner.transaction(scope, statements, options);
      if (!read.ok) return read;
      const claim = (row: Row): Row =>
        "tenant_id" in row ? { ...row, tenant_id: scope.tenantId, ...("user_id" in row ? { user_id: "" } : {}) } : row;
      return ok(read.value.map((rows) => rows.map(claim)));
    },
  };
}
