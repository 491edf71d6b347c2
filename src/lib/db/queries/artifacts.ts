import { z } from "zod";
import type { Statement } from "../sql.ts";

/** Whose the objects are that belong to a whole tenant with every user in it: no key of one user sees them. */
export const WHOLE_TENANT = "*";

export interface ArtifactRow {
  readonly artifactId: string;
  /** A user's id, '' for what all users of the tenant share, or `WHOLE_TENANT`. */
  readonly userId: string;
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
    text: `insert into artifacts (tenant_id, artifact_id, kind, object_key, media_type, size_bytes, sha256, batch_tag, user_id)
           values ($1, $2, $3, $4, $5, $6::bigint, decode($7, 'hex'), $8, $9)
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
      row.userId,
    ],
  };
}

const ARTIFACT_COLUMNS = `tenant_id, user_id, artifact_id, kind, object_key, media_type, size_bytes, encode(sha256, 'hex') as sha256_hex, batch_tag,
  record_count, dictionary_id, fingerprint, created_at, updated_at`;

/** Whose artifacts a reader may see: `*` every one of the tenant, '' the shared ones, a user also their own. */
export interface ArtifactReader {
  readonly tenantId: string;
  readonly userId: string;
}

const IS_VISIBLE = "tenant_id = $1 and ($2 = '*' or user_id in ('', $2))";

export function selectArtifact(reader: ArtifactReader, artifactId: string): Statement {
  return {
    text: `select ${ARTIFACT_COLUMNS} from artifacts where ${IS_VISIBLE} and artifact_id = $3`,
    params: [reader.tenantId, reader.userId, artifactId],
  };
}

/** One page of artifacts, by id. */
export function selectArtifacts(
  reader: ArtifactReader,
  page: { readonly kind: string | null; readonly afterId: string | null; readonly rowsMax: number },
): Statement {
  return {
    text: `select ${ARTIFACT_COLUMNS} from artifacts where ${IS_VISIBLE} and ($3::text is null or kind = $3)
             and ($4::text is null or artifact_id > $4) order by artifact_id limit $5::int`,
    params: [reader.tenantId, reader.userId, page.kind, page.afterId, page.rowsMax],
  };
}

export const artifactRowSchema = z.object({
  tenant_id: z.string(),
  user_id: z.string(),
  artifact_id: z.string(),
  kind: z.string(),
  object_key: z.string(),
  media_type: z.string(),
  size_bytes: z.coerce.number().int(),
  sha256_hex: z.string(),
  batch_tag: z.string().nullable(),
  /** Of a pack: its records, the dictionary that it needs and the model of its vectors. */
  record_count: z.coerce.number().int().nullable(),
  dictionary_id: z.string().nullable(),
  fingerprint: z.string().nullable(),
  created_at: z.date(),
  updated_at: z.date(),
});
export type ArtifactRecord = z.infer<typeof artifactRowSchema>;
