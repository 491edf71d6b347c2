import type { R2Bucket } from "@cloudflare/workers-types";
import { listTenants } from "../tenants/list-tenants.ts";

/** Tenants that have documents, in order: accepted ones lie in WAL objects, and later in packs. */
export async function listIndexedTenants(bucket: R2Bucket): Promise<readonly string[]> {
  const [accepted, packed] = [await listTenants(bucket, "wal/"), await listTenants(bucket, "packs/")];
  return [...new Set([...accepted, ...packed])].sort();
}
