import type { R2Bucket } from "@cloudflare/workers-types";

/** Tenants of one listing. */
const TENANTS_MAX = 10_000;

/** Tenants that have objects under a prefix such as `wal/`, in order. The database shows a tenant's rows to that tenant only, so R2 is asked. */
export async function listTenants(bucket: R2Bucket, prefix: `${string}/`): Promise<readonly string[]> {
  const tenants: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await bucket.list({ prefix, delimiter: "/", ...(cursor === undefined ? {} : { cursor }) });
    for (const found of page.delimitedPrefixes) tenants.push(found.slice(prefix.length, -1));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined && tenants.length < TENANTS_MAX);
  return tenants;
}
