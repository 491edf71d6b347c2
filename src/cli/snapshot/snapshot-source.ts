import type { z } from "zod";
import { MINUTE_MS } from "../../lib/base/durations.ts";
import {
  type SnapshotCheck,
  snapshotCheckSchema,
  type SnapshotChange,
  snapshotDiffSchema,
  snapshotIdSchema,
  snapshotKindSchema,
  snapshotListSchema,
  type SnapshotManifest,
  snapshotManifestSchema,
  type SnapshotObject,
  snapshotPageSchema,
} from "../../lib/contract/snapshot.ts";
import type { ApiClient } from "../api-client.ts";
import { CommandError, usageError } from "../command-error.ts";

const ROOT = "/v1/admin/snapshots";
/** A part is read, decoded and held against the bucket in one request. */
const PART_TIMEOUT_MS = 5 * MINUTE_MS;

export type SnapshotList = z.infer<typeof snapshotListSchema>;

export function listSnapshots(api: ApiClient): Promise<SnapshotList> {
  return api.json(snapshotListSchema, { path: ROOT });
}

/** The manifest of `kind/id`, or of the newest of a kind. */
export async function openSnapshot(api: ApiClient, name: string): Promise<SnapshotManifest> {
  const [kindPart = "", idPart, ...more] = name.split("/");
  const kind = snapshotKindSchema.safeParse(kindPart);
  if (!kind.success || more.length > 0)
    throw usageError(`a snapshot is named as "jeeves snapshot ls" prints it, not "${name}"`);
  const id = idPart ?? (await listSnapshots(api)).snapshots.find((each) => each.kind === kind.data)?.id;
  if (id === undefined) throw new CommandError(`there is no ${kind.data} snapshot yet`);
  if (!snapshotIdSchema.safeParse(id).success) throw usageError(`"${id}" is no id of a snapshot`);
  return api.json(snapshotManifestSchema, { path: `${ROOT}/${kind.data}/${id}` });
}

export function nameOf({ kind, id }: Pick<SnapshotManifest, "kind" | "id">): string {
  return `${kind}/${id}`;
}

/** All objects that a snapshot names, a part at a time. */
export async function* objectsOf(
  api: ApiClient,
  manifest: SnapshotManifest,
): AsyncGenerator<readonly SnapshotObject[]> {
  for (const part of manifest.parts.keys()) {
    const path = `${ROOT}/${nameOf(manifest)}/objects?part=${part}`;
    yield (await api.json(snapshotPageSchema, { path, timeoutMs: PART_TIMEOUT_MS })).objects;
  }
}

/** Changes between two snapshots, a page at a time. */
export async function* changesOf(
  api: ApiClient,
  before: SnapshotManifest,
  later: SnapshotManifest,
): AsyncGenerator<readonly SnapshotChange[]> {
  for (let after: string | null = ""; after !== null;) {
    const query = new URLSearchParams({ kind: later.kind, id: later.id, after });
    const path = `${ROOT}/${nameOf(before)}/diff?${query.toString()}`;
    const page: z.infer<typeof snapshotDiffSchema> = await api.json(snapshotDiffSchema, {
      path,
      timeoutMs: PART_TIMEOUT_MS,
    });
    yield page.changes;
    after = page.next_after;
  }
}

/** What became of the objects, a part at a time. */
export async function* checksOf(
  api: ApiClient,
  manifest: SnapshotManifest,
  restore?: { readonly isDryRun: boolean },
): AsyncGenerator<SnapshotCheck> {
  for (const part of manifest.parts.keys()) {
    const path = `${ROOT}/${nameOf(manifest)}`;
    const request =
      restore === undefined
        ? { path: `${path}/verify?part=${part}` }
        : { method: "POST" as const, path: `${path}/restore`, json: { part, dry_run: restore.isDryRun } };
    yield await api.json(snapshotCheckSchema, { ...request, timeoutMs: PART_TIMEOUT_MS });
  }
}

/** The bytes of an object as the snapshot named it. */
export function contentPath(manifest: SnapshotManifest, key: string): string {
  return `${ROOT}/${nameOf(manifest)}/content?key=${encodeURIComponent(key)}`;
}
