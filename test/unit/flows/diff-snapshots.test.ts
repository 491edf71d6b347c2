import type { R2Bucket } from "@cloudflare/workers-types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { sha256HexSync } from "../../../src/lib/base/hash.ts";
import type { SnapshotChange, SnapshotDiff, SnapshotManifest } from "../../../src/lib/contract/snapshot.ts";
import { diffSnapshots } from "../../../src/lib/flows/snapshots/diff-snapshots.ts";
import { encodePart } from "../../../src/lib/flows/snapshots/part-codec.ts";
import { expectOk } from "../../support/database.ts";

/** Keys with their etags. */
type Listing = ReadonlyMap<string, string>;

/** A manifest whose parts have `partMax` objects each, stored in `stored`. */
function storeSnapshot(
  stored: Map<string, Uint8Array>,
  id: string,
  listing: Listing,
  partMax: number,
): SnapshotManifest {
  const keys = [...listing.keys()].sort();
  const parts = Array.from({ length: Math.ceil(keys.length / partMax) }, (_, position) => {
    const own = keys.slice(position * partMax, (position + 1) * partMax);
    const bytes = encodePart(
      own.map((key) => ({
        key,
        size_bytes: 1,
        etag: listing.get(key) ?? "",
        hash: null,
        uploaded_at: "2026-01-05T00:00:00.000Z",
      })),
    );
    const key = `snapshots/parts/${id}/${position}`;
    stored.set(key, bytes);
    const after = keys[position * partMax - 1] ?? "";
    return {
      key,
      after,
      last: own.at(-1) ?? "",
      object_count: own.length,
      size_bytes: 0,
      sha256: sha256HexSync(bytes),
    };
  });
  const begun = { begun_at: "2026-01-05T00:00:00.000Z", watermarks: [], backup_key: null, prefixes: [] };
  return { version: 1, id, kind: "hourly", ...begun, object_count: keys.length, size_bytes: 0, parts };
}

function changesBetween(before: Listing, later: Listing): readonly string[] {
  const keys = [...new Set([...before.keys(), ...later.keys()])].sort();
  return keys.flatMap((key) => {
    if (!before.has(key)) return [`added ${key}`];
    if (!later.has(key)) return [`removed ${key}`];
    return before.get(key) === later.get(key) ? [] : [`changed ${key}`];
  });
}

const listings = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 99 }), fc.constantFrom("x", "y")), { maxLength: 80 })
  .map((pairs): Listing => new Map(pairs.map(([number, etag]) => [`wal/${String(number).padStart(2, "0")}`, etag])));

it("pages of a difference, one behind the other, have each change once and in order, wherever parts begin", async () => {
  await fc.assert(
    fc.asyncProperty(
      listings,
      listings,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      async (before, later, beforeMax, laterMax) => {
        const stored = new Map<string, Uint8Array>();
        const get = async (key: string) => ({ arrayBuffer: async () => Uint8Array.from(stored.get(key) ?? []).buffer });
        // What reading a part asks of a bucket.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        const bucket = { get } as unknown as R2Bucket;
        const pair = {
          before: storeSnapshot(stored, "20260105T000000Z", before, beforeMax),
          later: storeSnapshot(stored, "20260105T010000Z", later, laterMax),
        };
        const found: SnapshotChange[] = [];
        let pageCount = 0;
        for (let after: string | null = ""; after !== null; pageCount += 1) {
          const page: SnapshotDiff = expectOk(await diffSnapshots(bucket, { ...pair, after }));
          found.push(...page.changes);
          after = page.next_after;
        }
        expect(found.map(({ change, key }) => `${change} ${key}`)).toEqual(changesBetween(before, later));
        expect(pageCount).toBeLessThanOrEqual(1 + (pair.before.parts.length + pair.later.parts.length) / 5);
      },
    ),
  );
});
