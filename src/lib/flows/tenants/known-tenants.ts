import type { R2Bucket } from "@cloudflare/workers-types";
import { listTenants } from "./list-tenants.ts";

/** Every tenant has objects under one of these as soon as it has sent anything, and after its WAL objects went into packs. */
const PREFIXES = [
  "wal/",
  "packs/",
  "segments/",
  "sessions/",
  "quarantine/",
  "ingest_reports/",
  "dropped_batches/",
] as const;

/** Tenants that have objects of any kind, in order; those named are among them, whatever is left of theirs. */
export async function knownTenants(bucket: R2Bucket, named: readonly string[] = []): Promise<readonly string[]> {
  const found = new Set(named);
  for (const prefix of PREFIXES) for (const tenantId of await listTenants(bucket, prefix)) found.add(tenantId);
  return [...found].sort();
}
