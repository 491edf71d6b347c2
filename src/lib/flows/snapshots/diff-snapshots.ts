import type { R2Bucket } from "@cloudflare/workers-types";
import { ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { SnapshotChange, SnapshotDiff, SnapshotManifest, SnapshotObject } from "../../contract/snapshot.ts";
import { readPart } from "./read-snapshots.ts";

/** Parts of both that one page reads: 20 MB of JSON at most, one of each in memory. */
const PARTS_MAX = 12;

/**
 * What the later snapshot has more, less and otherwise, in order of keys, from behind `after` ('' for all). A page reads twelve parts; `next_after` is
 * null at the end. Errors: those of `readPart`.
 */
export async function diffSnapshots(
  bucket: R2Bucket,
  {
    before,
    later,
    after,
  }: { readonly before: SnapshotManifest; readonly later: SnapshotManifest; readonly after: string },
): Promise<Result<SnapshotDiff, Problem>> {
  const sides = [new Side(bucket, before, after), new Side(bucket, later, after)] as const;
  const changes: SnapshotChange[] = [];
  let lastKey = after;
  for (;;) {
    for (const side of sides) {
      const filled = await side.fill();
      if (!filled.ok) return filled;
    }
    const [former, latter] = [sides[0].next, sides[1].next];
    if (former === undefined && latter === undefined) return ok({ changes, next_after: null });
    lastKey =
      former === undefined || (latter !== undefined && latter.key < former.key) ? (latter?.key ?? "") : former.key;
    const change = changeOf(former?.key === lastKey ? former : undefined, latter?.key === lastKey ? latter : undefined);
    if (change !== undefined) changes.push(change);
    for (const side of sides) side.pass(lastKey);
    const isPageEnd =
      sides[0].partCount + sides[1].partCount >= PARTS_MAX && sides.some((side) => side.next === undefined);
    if (isPageEnd) return ok({ changes, next_after: lastKey });
  }
}

function changeOf(former: SnapshotObject | undefined, latter: SnapshotObject | undefined): SnapshotChange | undefined {
  const key = latter?.key ?? former?.key ?? "";
  const sizes = { before_bytes: former?.size_bytes ?? null, later_bytes: latter?.size_bytes ?? null };
  if (former === undefined) return { change: "added", key, ...sizes };
  if (latter === undefined) return { change: "removed", key, ...sizes };
  return former.etag === latter.etag ? undefined : { change: "changed", key, ...sizes };
}

/** The objects of one snapshot, a part at a time. */
class Side {
  readonly #bucket: R2Bucket;
  readonly #parts: SnapshotManifest["parts"];
  readonly #after: string;
  #objects: readonly SnapshotObject[] = [];
  #at = 0;
  /** Parts that were read. */
  partCount = 0;

  constructor(bucket: R2Bucket, manifest: SnapshotManifest, after: string) {
    this.#bucket = bucket;
    this.#parts = manifest.parts.filter((part) => part.last > after);
    this.#after = after;
  }

  /** The object whose turn it is; undefined: `fill` has to be asked, and after it this is the end. */
  get next(): SnapshotObject | undefined {
    return this.#objects[this.#at];
  }

  async fill(): Promise<Result<void, Problem>> {
    while (this.next === undefined) {
      const part = this.#parts[this.partCount];
      if (part === undefined) break;
      const objects = await readPart(this.#bucket, part);
      if (!objects.ok) return objects;
      this.partCount += 1;
      this.#objects = objects.value.filter((object) => object.key > this.#after);
      this.#at = 0;
    }
    return ok(undefined);
  }

  pass(key: string): void {
    if (this.next?.key === key) this.#at += 1;
  }
}
