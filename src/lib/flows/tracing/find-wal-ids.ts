/** From what a caller knows of a request (its id, its token, its batch) to the WAL objects that it made. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { MINUTE_MS } from "../../base/durations.ts";
import { firstUlidOf, isUlid, ulidTimeMs, uuidTimeMs } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { listObjects } from "../../bucket/list-objects.ts";
import { batchTagSchema } from "../../contract/scope.ts";
import type { Problem } from "../../contract/problem.ts";
import { selectBatchWalIds, walIdRowSchema } from "../../db/queries/request-trace.ts";
import type { Sql } from "../../db/sql.ts";
import { parseWalKey, walKey } from "../../wal/wal-key.ts";
import { listBatchRequests } from "../batches/batch-requests.ts";
import { ownTenantRows } from "../own-rows.ts";
import { problemOfSql, storageUnavailable } from "../problem-of.ts";

export interface FindContext {
  readonly bucket: R2Bucket;
  readonly sql: Sql;
}

/** Requests of a batch that are told of: the first ones. */
export const REQUESTS_MAX = 100;
/** A WAL object is made this long after its request came in at the latest, milliseconds: its body has been read by then. */
const REQUEST_MS_MAX = 5 * MINUTE_MS;
/** Pages of 1,000 objects that are looked through for one request: 5 minutes of 66 requests a second. */
const PAGES_MAX = 20;

/** Ids of the WAL objects in order of time; more than `REQUESTS_MAX` say that there are more. Errors: `not_found`. */
export async function findWalIds(
  context: FindContext,
  tenantId: string,
  id: string,
): Promise<Result<readonly string[], Problem>> {
  if (isUlid(id)) return ok([id]);
  const timeMs = uuidTimeMs(requestIdOf(id));
  try {
    const walId =
      timeMs === undefined ? undefined : await walIdOfRequest(context.bucket, tenantId, requestIdOf(id), timeMs);
    if (walId !== undefined) return ok([walId]);
  } catch {
    return err(storageUnavailable());
  }
  return batchTagSchema.safeParse(id).success ? walIdsOfBatch(context, tenantId, id) : err({ code: "not_found" });
}

/** A trace that no client named has the id of its request, without the dashes. */
function requestIdOf(id: string): string {
  return id.replace(/^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/, "$1-$2-$3-$4-$5");
}

/** A request id says when the request came, and the key of a WAL object when it was made: shortly after. */
async function walIdOfRequest(
  bucket: R2Bucket,
  tenantId: string,
  requestId: string,
  timeMs: number,
): Promise<string | undefined> {
  const prefix = `wal/${tenantId}/`;
  const startAfter = walKey(tenantId, firstUlidOf(timeMs)).replace(/\.mpz$/, "");
  const listing = { prefix, startAfter, isWithMetadata: true, pagesMax: PAGES_MAX };
  for await (const object of listObjects(bucket, listing)) {
    const walId = parseWalKey(object.key)?.walId;
    if (walId !== undefined && ulidTimeMs(walId) > timeMs + REQUEST_MS_MAX) return undefined;
    if (object.customMetadata?.["request_id"] === requestId) return walId;
  }
  return undefined;
}

async function walIdsOfBatch(
  { bucket, sql }: FindContext,
  tenantId: string,
  batchTag: string,
): Promise<Result<readonly string[], Problem>> {
  const [marked, rows] = await Promise.all([
    listBatchRequests(bucket, tenantId, batchTag),
    sql.transaction({ tenantId, userId: "*" }, [selectBatchWalIds(tenantId, batchTag, REQUESTS_MAX + 1)], {
      readOnly: true,
    }),
  ]);
  if (!marked.ok) return err(storageUnavailable());
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownTenantRows(
    "traces",
    tenantId,
    (rows.value[0] ?? []).map((row) => walIdRowSchema.parse(row)),
  );
  if (!own.ok) return own;
  const walIds = new Set([...marked.value.map(({ walId }) => walId), ...own.value.map((row) => row.wal_id)]);
  return walIds.size === 0 ? err({ code: "not_found" }) : ok([...walIds].sort());
}
