import { z } from "zod";
import { LIMITS } from "../../../lib/base/limits.ts";
import { err, ok, type Result } from "../../../lib/base/result.ts";
import {
  ARTIFACT_KINDS,
  type ArtifactEntry,
  artifactListSchema,
  artifactSchema,
} from "../../../lib/contract/artifact.ts";
import type { Problem } from "../../../lib/contract/problem.ts";
import type { ArtifactRecord } from "../../../lib/db/queries/artifacts.ts";
import { listArtifacts, readArtifact } from "../../../lib/flows/read-artifacts.ts";
import { json } from "../respond.ts";
import { principalOf, route, type Call } from "../route.ts";
import { storedContent } from "../stored-content.ts";

function onWire(record: ArtifactRecord): ArtifactEntry {
  return {
    artifact_id: record.artifact_id,
    user_id: record.user_id,
    kind: record.kind,
    media_type: record.media_type,
    size_bytes: record.size_bytes,
    sha256: record.sha256_hex,
    batch_tag: record.batch_tag,
    record_count: record.record_count,
    dictionary_id: record.dictionary_id,
    fingerprint: record.fingerprint,
    created_at: record.created_at.toISOString(),
    updated_at: record.updated_at.toISOString(),
    content_url: `/v1/artifacts/${encodeURIComponent(record.artifact_id)}/content`,
  };
}

/** The artifact that the path names, where the caller may see it. */
async function named(call: Call): Promise<Result<ArtifactRecord, Problem>> {
  return readArtifact(call.context, principalOf(call), call.params["id"] ?? "");
}

/** Kinds that hold texts of documents, whole or in pieces: reading one is reading documents. */
const KINDS_WITH_TEXTS: ReadonlySet<string> = new Set(["segment", "pack", "backup", "dictionary"]);

function mayReadContent(call: Call, record: ArtifactRecord): boolean {
  return !KINDS_WITH_TEXTS.has(record.kind) || principalOf(call).scopes.includes("search");
}

/** The content, or the part of it that a Range header asks for. The ETag is the content's hash. */
function content({ request, context }: Call, record: ArtifactRecord): Promise<Result<Response, Problem>> {
  return storedContent(request, context.bucket, {
    objectKey: record.object_key,
    etag: record.sha256_hex,
    sizeBytes: record.size_bytes,
    mediaType: record.media_type,
  });
}

export const artifactRoutes = [
  route({
    method: "GET",
    path: "/v1/artifacts",
    operationId: "listArtifacts",
    area: "artifacts",
    summary: "Registered objects of the tenant; with a key of one user, their own and the shared ones",
    access: "any",
    query: z.strictObject({
      kind: z.enum(ARTIFACT_KINDS).optional(),
      after: z.string().max(200).optional().describe("artifact_id of the last one of the page before"),
      limit: z.coerce.number().int().min(1).max(LIMITS.pageRowsMax).default(100),
    }),
    replies: { 200: { description: "One page", schema: artifactListSchema } },
    problems: ["database_unavailable"],
    async handle(call, { query }) {
      const page = { kind: query.kind ?? null, afterId: query.after ?? null, rowsMax: query.limit };
      const artifacts = await listArtifacts(call.context, principalOf(call), page);
      return artifacts.ok ? ok(json({ artifacts: artifacts.value.map(onWire) })) : artifacts;
    },
  }),
  route({
    method: "GET",
    path: "/v1/artifacts/:id",
    operationId: "readArtifact",
    area: "artifacts",
    summary: "One registered object",
    access: "any",
    replies: { 200: { description: "The entry", schema: artifactSchema } },
    problems: ["not_found", "database_unavailable"],
    async handle(call) {
      const record = await named(call);
      return record.ok ? ok(json(onWire(record.value))) : record;
    },
  }),
  route({
    method: "GET",
    path: "/v1/artifacts/:id/content",
    operationId: "readArtifactContent",
    area: "artifacts",
    summary: "The bytes of a registered object; Range, If-Range and If-None-Match hold",
    access: "any",
    replies: {
      200: { description: "All bytes, of the type that the entry names", mediaType: "*/*" },
      206: { description: "The bytes asked for", mediaType: "*/*" },
      304: { description: "Unchanged" },
      416: { description: "The range lies outside" },
    },
    problems: ["scope_missing", "not_found", "conflict", "database_unavailable", "storage_unavailable"],
    async handle(call) {
      const record = await named(call);
      if (!record.ok) return record;
      return mayReadContent(call, record.value) ? content(call, record.value) : err({ code: "scope_missing" });
    },
  }),
];
