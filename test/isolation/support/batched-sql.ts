import type { Row, Scope, Sql, SqlError, Statement, TransactionOptions } from "../../../src/lib/db/sql.ts";
import { scopeStatement } from "../../../src/lib/db/sql.ts";
import type { Result } from "../../../src/lib/base/result.ts";
import { err, ok } from "../../../src/lib/base/result.ts";

type Rows = readonly (readonly Row[])[];

interface Waiting {
  readonly scope: Scope;
  readonly statements: readonly Statement[];
  readonly settle: (result: Result<Rows, SqlError>) => void;
}

/** Statements of one round trip: the endpoint answers at most 64 MB. */
const STATEMENTS_MAX = 256;

/**
 * Reads that are asked for at the same time go out as one transaction, each with its own scope set before it: the same statements, scopes and
 * policies in a tenth of the round trips. What writes goes alone.
 */
export function batchedSql(inner: Sql): Sql {
  let waiting: Waiting[] = [];

  async function send(group: readonly Waiting[]): Promise<void> {
    const [first] = group;
    if (first === undefined) return;
    const statements = group.flatMap((each) => [scopeStatement(each.scope), ...each.statements]);
    const together = await inner.transaction(first.scope, statements, { readOnly: true });
    // One refused statement refuses them all: then each one by itself.
    if (!together.ok) {
      for (const each of group) each.settle(await inner.transaction(each.scope, each.statements, { readOnly: true }));
      return;
    }
    let at = 0;
    for (const each of group) {
      each.settle(ok(together.value.slice(at + 1, at + 1 + each.statements.length)));
      at += 1 + each.statements.length;
    }
  }

  function flush(): void {
    const all = waiting;
    waiting = [];
    for (let group: Waiting[] = [], index = 0; index < all.length; index += 1) {
      const each = all[index];
      if (each !== undefined) group.push(each);
      const size = group.reduce((sum, { statements }) => sum + statements.length + 1, 0);
      if (size < STATEMENTS_MAX && index < all.length - 1) continue;
      const failed = err({ code: "database_unavailable", retryable: true } as const);
      const sent = group;
      send(sent).catch(() => sent.forEach(({ settle }) => settle(failed)));
      group = [];
    }
  }

  return {
    query: (statement, options) => inner.query(statement, options),
    transaction(scope: Scope, statements: readonly Statement[], options: TransactionOptions = {}) {
      if (options.readOnly !== true) return inner.transaction(scope, statements, options);
      return new Promise((settle) => {
        if (waiting.length === 0) setImmediate(flush);
        waiting.push({ scope, statements, settle });
      });
    },
  };
}
