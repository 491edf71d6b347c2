import { z } from "zod";
import type { Statement } from "../sql.ts";

/** Artifacts of a tenant by kind: how many, and their bytes. */
export function selectArtifactSizes(tenantId: string): Statement {
  return {
    text: `select kind, count(*)::int as object_count, coalesce(sum(size_bytes), 0)::float8 as size_bytes from artifacts
           where tenant_id = $1 group by kind`,
    params: [tenantId],
  };
}

export const artifactSizesRowSchema = z.object({ kind: z.string(), object_count: z.int(), size_bytes: z.number() });

/** Dead letters of a tenant that nobody has resolved, by queue. */
export function selectOpenDeadLetterCounts(tenantId: string): Statement {
  return {
    text: `select queue, count(*)::int as letter_count from dead_letters
           where tenant_id = $1 and resolved_at is null group by queue`,
    params: [tenantId],
  };
}

export const openDeadLetterCountsRowSchema = z.object({ queue: z.string(), letter_count: z.int() });

/** Bytes of the database on disk, indexes and all. */
export const SELECT_DATABASE_SIZE: Statement = {
  text: "select pg_database_size(current_database())::float8 as size_bytes",
  params: [],
};

export const databaseSizeRowSchema = z.object({ size_bytes: z.number() });
