import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import { ok, type Result } from "../../base/result.ts";
import { listPages } from "../../bucket/list-objects.ts";
import type { Problem } from "../../contract/problem.ts";
import { listTenants } from "../tenants/list-tenants.ts";
import { removeObjects } from "../snapshots/remove-objects.ts";
import { DELETIONS_PREFIX, deletionsPrefix } from "./deletion-record.ts";
import { replayStart } from "./replay-page.ts";

interface ExpiryContext {
  readonly bucket: R2Bucket;
  readonly clock: Clock;
  readonly newUlid: () => string;
}

/** Removes the records of deletions before a moment, from which no restore can begin. What does not fit into the time goes with the next run. */
export async function expireDeletions(
  context: ExpiryContext,
  { beforeMs, isSpent }: { readonly beforeMs: number; readonly isSpent: () => boolean },
): Promise<Result<void, Problem>> {
  for (const tenantId of await listTenants(context.bucket, DELETIONS_PREFIX)) {
    const end = replayStart(tenantId, beforeMs);
    for await (const page of listPages(context.bucket, { prefix: deletionsPrefix(tenantId) })) {
      if (isSpent()) return ok(undefined);
      const keys = page.map(({ key }) => key).filter((key) => key < end);
      const removed = await removeObjects(context, keys, "a deletion older than every backup");
      if (!removed.ok) return removed;
      if (keys.length < page.length) break;
    }
  }
  return ok(undefined);
}
