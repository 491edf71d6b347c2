import { z } from "zod";
import type { Statement } from "../sql.ts";

export interface ArtifactRow {
  readonly artifactId: string;
  readonly kind: "segment" | "pack" | "backup" | "dictionary" | "report" | "snapshot" | "model";
  readonly objectKey: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly sha256Hex: string;
  readonly batchTag: string | null;
}

/** Registers an R2 object, or what it holds now when it was written anew. */
export function upsertArtifact(tenantId: string, row: ArtifactRow): Statement {
  return {
    text: `insert into artifacts (tenant_id, artifact_id, kind, object_key, media_type, size_bytes, sha256, batch_tag)
           values ($1, $2, $3, $4, $5, $6::bigint, decode($7, 'hex'), $8)
           on conflict (tenant_id, artifact_id) do update set size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
             media_type = excluded.media_type, updated_at = now()
           where artifacts.sha256 <> excluded.sha256`,
    params: [
      tenantId,
      row.artifactId,
      row.kind,
      row.objectKey,
      row.mediaType,
      row.sizeBytes,
      row.sha256Hex,
      row.batchTag,
    ],
  };
}

const ARTIFACT_COLUMNS = `artifact_id, kind, object_key, media_type, size_bytes, encode(sha256, 'hex') as sha256_hex, batch_tag,
  created_at, updated_at`;

export function selectArtifact(tenantId: string, artifactId: string): Statement {
  return {
    text: `select ${ARTIFACT_COLUMNS} from artifacts where tenant_id = $1 and artifact_id = $2`,
    params: [tenantId, artifactId],
  };
}

/** One page of artifacts, by id. */
export function selectArtifacts(
  tenantId: string,
  page: { readonly kind: string | null; readonly afterId: string | null; readonly rowsMax: number },
): Statement {
  return {
    text: `select ${ARTIFACT_COLUMNS} from artifacts where tenant_id = $1 and ($2::text is null or kind = $2)
             and ($3::text is null or artifact_id > $3) order by artifact_id limit $4::int`,
    params: [tenantId, page.kind, page.afterId, page.rowsMax],
  };
}

export const artifactRowSchema = z.object({
  artifact_id: z.string(),
  kind: z.string(),
  object_key: z.string(),
  media_type: z.string(),
  size_bytes: z.coerce.number().int(),
  sha256_hex: z.string(),
  batch_tag: z.string().nullable(),
  created_at: z.date(),
  updated_at: z.date(),
});
export type ArtifactRecord = z.infer<typeof artifactRowSchema>;
