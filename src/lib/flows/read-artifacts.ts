import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../base/result.ts";
import type { Principal } from "../contract/principal.ts";
import type { Problem } from "../contract/problem.ts";
import {
  type ArtifactReader,
  type ArtifactRecord,
  artifactRowSchema,
  selectArtifact,
  selectArtifacts,
  WHOLE_TENANT,
} from "../db/queries/artifacts.ts";
import type { Row, Sql } from "../db/sql.ts";
import { ownRows } from "./own-rows.ts";
import { problemOfSql } from "./problem-of.ts";

export interface ArtifactContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
}

/** Whose rows the store shows: a key without a user acts for the whole tenant. */
function readerOf(principal: Principal): ArtifactReader {
  return { tenantId: principal.tenantId, userId: principal.userId === "" ? WHOLE_TENANT : principal.userId };
}

/** One registered object. Errors: `not_found`, also for the id of another tenant's, of another user's, or of what belongs to the whole tenant. */
export async function readArtifact(
  context: Pick<ArtifactContext, "sql">,
  principal: Principal,
  artifactId: string,
): Promise<Result<ArtifactRecord, Problem>> {
  const reader = readerOf(principal);
  const rows = await context.sql.transaction(reader, [selectArtifact(reader, artifactId)], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  const own = ownArtifacts(reader, rows.value[0]);
  if (!own.ok) return own;
  const [artifact] = own.value;
  return artifact === undefined ? err({ code: "not_found" }) : ok(artifact);
}

/** One page of the artifacts that a principal may see, by id. */
export async function listArtifacts(
  context: Pick<ArtifactContext, "sql">,
  principal: Principal,
  page: { readonly kind: string | null; readonly afterId: string | null; readonly rowsMax: number },
): Promise<Result<readonly ArtifactRecord[], Problem>> {
  const reader = readerOf(principal);
  const rows = await context.sql.transaction(reader, [selectArtifacts(reader, page)], { readOnly: true });
  if (!rows.ok) return err(problemOfSql(rows.error));
  return ownArtifacts(reader, rows.value[0]);
}

function ownArtifacts(reader: ArtifactReader, rows: readonly Row[] = []): Result<readonly ArtifactRecord[], Problem> {
  return ownRows(
    "artifacts",
    reader,
    rows.map((row) => artifactRowSchema.parse(row)),
  );
}
