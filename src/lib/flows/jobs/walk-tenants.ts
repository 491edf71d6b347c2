import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import { listTenants } from "../tenants/list-tenants.ts";
import type { JobRun } from "./job.ts";

const cursorSchema = z.object({ after_tenant: z.string().default("") });

export interface TenantWalk {
  readonly isDone: boolean;
  /** Where the next run goes on: behind the last tenant that was finished, or from the first when all were. */
  readonly cursor: Readonly<Record<string, unknown>>;
}

/** Where tenants are looked for: of one that has sent nothing for a while all WAL objects are in packs. */
const PREFIXES: Readonly<Record<string, readonly `${string}/`[]>> = { "wal/": ["wal/", "packs/"] };

/**
 * Visits the tenants that have objects under a prefix, in order, from where the last run stopped; `wal/` means all that have documents. `visit` is told the
 * tenant before, from which a run that stops now goes on, and says whether it finished its tenant: where it did not, the walk ends, and the next run begins
 * with that tenant again.
 */
export async function walkTenants(
  bucket: R2Bucket,
  walk: { readonly prefix: `${string}/`; readonly cursor: JobRun["cursor"] },
  visit: (tenantId: string, tenantBefore: string) => Promise<boolean>,
): Promise<TenantWalk> {
  const { after_tenant: afterTenant } = cursorSchema.parse(walk.cursor);
  const found = new Set<string>();
  for (const prefix of PREFIXES[walk.prefix] ?? [walk.prefix])
    for (const tenantId of await listTenants(bucket, prefix)) found.add(tenantId);
  const tenants = [...found].sort();
  let last = afterTenant;
  for (const tenantId of tenants.filter((each) => each > afterTenant)) {
    if (!(await visit(tenantId, last))) return { isDone: false, cursor: { after_tenant: last } };
    last = tenantId;
  }
  return { isDone: true, cursor: { after_tenant: "" } };
}
