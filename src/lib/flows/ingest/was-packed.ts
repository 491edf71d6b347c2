import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import { DAY_MS } from "../../base/durations.ts";
import { ulidTimeMs } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Sql } from "../../db/sql.ts";
import { walKey } from "../../wal/wal-key.ts";
import { appliedDocuments } from "../batches/applied-documents.ts";
import { storageUnavailable } from "../problem-of.ts";

/** No policy lets a WAL object go earlier, milliseconds. */
const WAL_MS_MIN = DAY_MS;

/**
 * Whether a request was stored and applied, and its WAL object has gone since: then the object must not come again, also because what users were erased of
 * it would. Only for an old request whose object is not there Postgres is asked.
 */
export async function wasPacked(
  context: { readonly bucket: R2Bucket; readonly sql: Sql; readonly clock: Clock },
  { tenantId, walId }: { readonly tenantId: string; readonly walId: string },
): Promise<Result<boolean, Problem>> {
  if (context.clock() - ulidTimeMs(walId) < WAL_MS_MIN) return ok(false);
  try {
    if ((await context.bucket.head(walKey(tenantId, walId))) !== null) return ok(false);
  } catch {
    return err(storageUnavailable());
  }
  const applied = await appliedDocuments(context.sql, tenantId, [walId]);
  return applied.ok ? ok(applied.value.has(walId)) : applied;
}
