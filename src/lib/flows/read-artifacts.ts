import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import { type ArtifactRecord, artifactRowSchema, selectArtifact, selectArtifacts } from "../db/queries/artifacts.ts";
import type { Sql } from "../db/sql.ts";
import { problemOfSql } from "./problem-of.ts";

export interface ArtifactContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
}

/** One registered object of a tenant. Errors: `not_found`, also for another tenant's id. */
export async function readArtifact(
  context: Pick<ArtifactContext, "sql">,
  tenantId: string,
  artifactId: string,
): Promise<Result<ArtifactRecord, Problem>> {
  const rows = await context.sql.transaction({ tenantId, userId: "*" }, [selectArtifact(tenantId, artifactId)], {
    readOnly: true,
  });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const row = rows.value[0]?.[0];
  return row === undefined ? err({ code: "not_found" }) : ok(artifactRowSchema.parse(row));
}

/** One page of a tenant's artifacts, by id. */
export async function listArtifacts(
  context: Pick<ArtifactContext, "sql">,
  page: {
    readonly tenantId: string;
    readonly kind: string | null;
    readonly afterId: string | null;
    readonly rowsMax: number;
  },
): Promise<Result<readonly ArtifactRecord[], Problem>> {
  const rows = await context.sql.transaction(
    { tenantId: page.tenantId, userId: "*" },
    [selectArtifacts(page.tenantId, page)],
    { readOnly: true },
  );
  if (!rows.ok) return err(problemOfSql(rows.error));
  return ok((rows.value[0] ?? []).map((row) => artifactRowSchema.parse(row)));
}
