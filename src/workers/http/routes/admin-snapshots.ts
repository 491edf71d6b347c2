import { z } from "zod";
import { err, ok, type Result } from "../../../lib/base/result.ts";
import type { Problem } from "../../../lib/contract/problem.ts";
import {
  snapshotCheckSchema,
  snapshotDiffSchema,
  snapshotIdSchema,
  snapshotKindSchema,
  snapshotListSchema,
  type SnapshotManifest,
  snapshotManifestSchema,
  snapshotPageSchema,
} from "../../../lib/contract/snapshot.ts";
import { checkPart } from "../../../lib/flows/snapshots/check-snapshot.ts";
import { diffSnapshots } from "../../../lib/flows/snapshots/diff-snapshots.ts";
import { findObject, listSnapshots, readManifest, readPart } from "../../../lib/flows/snapshots/read-snapshots.ts";
import { queryNumber } from "../query-number.ts";
import { json } from "../respond.ts";
import { type Call, route } from "../route.ts";
import { storedContent } from "../stored-content.ts";

const keySchema = z.string().min(1).max(1_024);
const partQuery = z.strictObject({
  part: queryNumber(z.coerce.number().int().min(0)).default(0).describe("position of the part; left out: 0"),
});
const PROBLEMS = ["not_found", "conflict", "parameter_invalid", "storage_unavailable"] as const;

async function named(call: Call): Promise<Result<SnapshotManifest, Problem>> {
  const kind = snapshotKindSchema.safeParse(call.params["kind"]);
  const id = snapshotIdSchema.safeParse(call.params["id"]);
  if (!kind.success || !id.success) return err({ code: "not_found", detail: "there is no such snapshot" });
  return readManifest(call.context.bucket, { kind: kind.data, id: id.data });
}

async function check(
  call: Call,
  request: { readonly position: number; readonly takesBack: boolean },
): Promise<Result<Response, Problem>> {
  const manifest = await named(call);
  if (!manifest.ok) return manifest;
  const checked = await checkPart(call.context, { manifest: manifest.value, ...request });
  return checked.ok ? ok(json(checked.value)) : checked;
}

export const adminSnapshotRoutes = [
  route({
    method: "GET",
    path: "/v1/admin/snapshots",
    operationId: "listSnapshots",
    area: "operator",
    summary: "Snapshots of the object store, newest first",
    access: "operator",
    replies: { 200: { description: "All of them", schema: snapshotListSchema } },
    problems: ["storage_unavailable"],
    async handle({ context }) {
      const listed = await listSnapshots(context.bucket);
      return listed.ok ? ok(json(listed.value)) : listed;
    },
  }),
  route({
    method: "GET",
    path: "/v1/admin/snapshots/:kind/:id",
    operationId: "readSnapshot",
    area: "operator",
    summary: "The manifest of a snapshot",
    access: "operator",
    replies: { 200: { description: "The manifest with its parts", schema: snapshotManifestSchema } },
    problems: PROBLEMS,
    async handle(call) {
      const manifest = await named(call);
      return manifest.ok ? ok(json(manifest.value)) : manifest;
    },
  }),
  route({
    method: "GET",
    path: "/v1/admin/snapshots/:kind/:id/objects",
    operationId: "listSnapshotObjects",
    area: "operator",
    summary: "The objects that one part of a snapshot names",
    access: "operator",
    query: partQuery,
    replies: { 200: { description: "At most 5,000 objects, in order of keys", schema: snapshotPageSchema } },
    problems: PROBLEMS,
    async handle(call, { query }) {
      const manifest = await named(call);
      if (!manifest.ok) return manifest;
      const part = manifest.value.parts[query.part];
      if (part === undefined) return err({ code: "not_found", detail: "the snapshot has no such part" });
      const objects = await readPart(call.context.bucket, part);
      if (!objects.ok) return objects;
      const next = query.part + 1 < manifest.value.parts.length ? query.part + 1 : null;
      return ok(json({ part: query.part, objects: objects.value, next_part: next }));
    },
  }),
  route({
    method: "GET",
    path: "/v1/admin/snapshots/:kind/:id/content",
    operationId: "readSnapshotContent",
    area: "operator",
    summary: "The bytes of an object that a snapshot names, as it named it; Range, If-Range and If-None-Match hold",
    access: "operator",
    query: z.strictObject({ key: keySchema.describe("key of the object") }),
    replies: {
      200: { description: "All bytes", mediaType: "application/octet-stream" },
      206: { description: "The bytes asked for", mediaType: "application/octet-stream" },
      304: { description: "Unchanged" },
      416: { description: "The range lies outside" },
    },
    problems: PROBLEMS,
    async handle(call, { query }) {
      const manifest = await named(call);
      if (!manifest.ok) return manifest;
      const object = await findObject(call.context.bucket, manifest.value, query.key);
      if (!object.ok) return object;
      const { key: objectKey, etag, size_bytes: sizeBytes } = object.value;
      const content = { objectKey, etag, bucketEtag: etag, sizeBytes, mediaType: "application/octet-stream" };
      return storedContent(call.request, call.context.bucket, content);
    },
  }),
  route({
    method: "GET",
    path: "/v1/admin/snapshots/:kind/:id/diff",
    operationId: "diffSnapshots",
    area: "operator",
    summary: "What a second snapshot has more, less and otherwise",
    access: "operator",
    query: z.strictObject({
      kind: snapshotKindSchema.describe("kind of the second snapshot"),
      id: snapshotIdSchema.describe("id of the second snapshot"),
      after: keySchema.or(z.literal("")).default("").describe("next_after of the page before"),
    }),
    replies: { 200: { description: "One page, in order of keys", schema: snapshotDiffSchema } },
    problems: PROBLEMS,
    async handle(call, { query }) {
      const before = await named(call);
      if (!before.ok) return before;
      const later = await readManifest(call.context.bucket, query);
      if (!later.ok) return later;
      const pair = { before: before.value, later: later.value, after: query.after };
      const diff = await diffSnapshots(call.context.bucket, pair);
      return diff.ok ? ok(json(diff.value)) : diff;
    },
  }),
  route({
    method: "GET",
    path: "/v1/admin/snapshots/:kind/:id/verify",
    operationId: "verifySnapshot",
    area: "operator",
    summary: "Whether the objects of one part are there as the snapshot names them",
    access: "operator",
    query: partQuery,
    replies: { 200: { description: "Counts, and what is not as it was", schema: snapshotCheckSchema } },
    problems: PROBLEMS,
    handle: (call, { query }) => check(call, { position: query.part, takesBack: false }),
  }),
  route({
    method: "POST",
    path: "/v1/admin/snapshots/:kind/:id/restore",
    operationId: "restoreSnapshot",
    area: "operator",
    summary: "Take back the removal of what one part of a snapshot names, where it is still held",
    description:
      "Objects that were removed since and are still there stay from then on. What was overwritten, erased or lost is named, and comes back from no snapshot. " +
      "The database follows by a restore of the backup that the manifest names.",
    access: "operator",
    body: z.strictObject({ part: z.int().min(0).default(0), dry_run: z.boolean().default(false) }),
    replies: { 200: { description: "Counts, and what is not as it was", schema: snapshotCheckSchema } },
    problems: PROBLEMS,
    handle: (call, { body }) => check(call, { position: body.part, takesBack: !body.dry_run }),
  }),
];
