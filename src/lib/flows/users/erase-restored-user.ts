import type { Clock } from "../../base/clock.ts";
import { ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Sql } from "../../db/sql.ts";
import { eraseUserRows } from "./erase-user-rows.ts";
import { CallBudget, noCounts } from "./erasure.ts";

/** Removes the rows of a user whom a restore brought back although an erasure has a certificate. Their objects were removed then. */
export async function eraseRestoredUser(
  { sql, clock }: { readonly sql: Sql; readonly clock: Clock },
  user: { readonly tenantId: string; readonly userId: string; readonly before: string },
): Promise<Result<void, Problem>> {
  const erased = await eraseUserRows(
    { sql },
    {
      ...user,
      erasureId: "",
      at: new Date(clock()),
      budget: new CallBudget(clock, { timeMsMax: Infinity, unitsMax: Infinity }),
      progress: { requested_by: "", step: "rows", after: "", round: 1, found: noCounts(), unreadable: 0 },
    },
  );
  return erased.ok ? ok(undefined) : erased;
}
