import { z } from "zod";

/** What a registered object is. */
export const ARTIFACT_KINDS = ["segment", "pack", "backup", "dictionary", "report", "snapshot", "model"] as const;

/** Entry of a registered object in `GET /v1/artifacts`. */
export const artifactSchema = z.object({
  artifact_id: z.string(),
  user_id: z.string().describe("whose it is; '' is shared, '*' belongs to the whole tenant"),
  kind: z.string(),
  media_type: z.string(),
  size_bytes: z.int(),
  sha256: z.string(),
  batch_tag: z.string().nullable(),
  record_count: z.int().nullable().describe("records of a pack"),
  dictionary_id: z
    .string()
    .nullable()
    .describe("the dictionary that a pack needs, artifact `dictionary-<id>`; null: none"),
  fingerprint: z.string().nullable().describe("model of the vectors that a pack holds; null: none"),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  content_url: z.string(),
});
export type ArtifactEntry = z.infer<typeof artifactSchema>;

export const artifactListSchema = z.object({ artifacts: z.array(artifactSchema) });
