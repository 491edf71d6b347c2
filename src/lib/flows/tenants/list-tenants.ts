import type { R2Bucket } from "@cloudflare/workers-types";
import { listNames } from "../../bucket/list-names.ts";

/** Tenants that have objects under a prefix such as `wal/`, in order. The database shows a tenant's rows to that tenant only, so R2 is asked. */
export function listTenants(bucket: R2Bucket, prefix: `${string}/`): Promise<readonly string[]> {
  return listNames(bucket, prefix);
}
