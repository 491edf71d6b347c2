/**
 * Which bucket a remote is the copy of: `sync/source.json` on both ends. A bucket that was lost, emptied or exchanged has none, or another one, and must
 * neither empty its copy nor mix with it.
 */
import { z } from "zod";
import { utf8Bytes, utf8Text } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { copyPiece } from "./copy-piece.ts";
import type { Ends, SyncContext } from "./sync-context.ts";
import type { SyncError } from "./sync-error.ts";

export const SOURCE_KEY = "sync/source.json";
/** Bytes of the object at most: it is ours, and small. */
const SOURCE_BYTES_MAX = 4_096;

const sourceSchema = z.object({ version: z.literal(1), source_id: z.string() });

/**
 * remote_unclaimed: the remote is nobody's copy. source_lost: the remote is the copy of a bucket, and this one does not say that it is that. source_differs: it is the copy of another one, or cannot
 * be told.
 */
export interface SourceRefusal {
  readonly code: "source_lost" | "source_differs" | "remote_unclaimed";
}

/** Ok where the remote is this bucket's copy, or nobody's; unless it only looks, it is this bucket's from now on. */
export async function claimRemote(
  context: Pick<SyncContext, "newUlid">,
  ends: Ends,
  isDryRun: boolean,
): Promise<Result<void, SyncError | SourceRefusal>> {
  const there = await sourceThere(ends);
  if (!there.ok) return there;
  const here = await sourceHere(ends);
  if (here === undefined && there.value !== undefined) return err({ code: "source_lost" });
  if (here !== undefined && there.value !== undefined)
    return here === there.value ? ok(undefined) : err({ code: "source_differs" });
  if (isDryRun) return ok(undefined);
  if (here === undefined) await putSource(ends, context.newUlid());
  const copied = await copyPiece(ends, SOURCE_KEY);
  return copied.ok ? ok(undefined) : copied;
}

/** Ok where the remote is a copy of this bucket, or of one that was here and is lost. */
export async function checkCopy(ends: Ends): Promise<Result<void, SyncError | SourceRefusal>> {
  const there = await sourceThere(ends);
  if (!there.ok) return there;
  if (there.value === undefined) return err({ code: "remote_unclaimed" });
  const here = await sourceHere(ends);
  return here === undefined || here === there.value ? ok(undefined) : err({ code: "source_differs" });
}

/** Makes this bucket the one that the remote is the copy of. */
export async function bringSource(ends: Ends): Promise<Result<void, SyncError>> {
  const id = await sourceThere(ends);
  if (!id.ok) return id;
  await putSource(ends, id.value ?? "");
  return ok(undefined);
}

async function putSource({ bucket }: Ends, sourceId: string): Promise<void> {
  await bucket.put(SOURCE_KEY, JSON.stringify({ version: 1, source_id: sourceId }), {
    onlyIf: { etagDoesNotMatch: "*" },
    httpMetadata: { contentType: "application/json" },
  });
}

async function sourceHere({ bucket }: Ends): Promise<string | undefined> {
  const object = await bucket.get(SOURCE_KEY);
  return object === null ? undefined : sourceIdIn(await object.text());
}

async function sourceThere({ remote }: Ends): Promise<Result<string | undefined, SyncError>> {
  // A list has a body that says what is wrong; a HEAD of 404 may mean the object, the bucket, or with some servers the keys.
  const listed = await remote.list({ startAfter: "", keysMax: 1 });
  if (!listed.ok) return listed;
  const head = await remote.head(SOURCE_KEY);
  if (!head.ok) return head;
  if (head.value === null) return ok(undefined);
  const length = Math.min(SOURCE_BYTES_MAX, head.value.sizeBytes);
  const bytes = length === 0 ? ok(utf8Bytes("")) : await remote.get(SOURCE_KEY, { offset: 0, length });
  return bytes.ok ? ok(sourceIdIn(utf8Text(bytes.value) ?? "")) : bytes;
}

/** The id, or '' for what cannot be read: it equals no id. */
function sourceIdIn(json: string): string {
  try {
    return sourceSchema.safeParse(JSON.parse(json)).data?.source_id ?? "";
  } catch {
    return "";
  }
}
