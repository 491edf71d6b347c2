import { readFileSync } from "node:fs";
import type { R2Bucket, R2Objects } from "@cloudflare/workers-types";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOUR_MS } from "../../../src/lib/base/durations.ts";
import { sha256HexSync } from "../../../src/lib/base/hash.ts";
import { decodePart, encodePart, PART_OBJECTS_MAX } from "../../../src/lib/flows/snapshots/part-codec.ts";
import { RemovalWalk } from "../../../src/lib/flows/snapshots/removal-walk.ts";
import { SNAPSHOT_KINDS, SNAPSHOTS_KEPT } from "../../../src/lib/flows/snapshots/snapshot-keys.ts";
import { isWhole, type StoredPart } from "../../../src/lib/flows/snapshots/snapshot-parts.ts";
import {
  kindsDue,
  snapshotIdAt,
  snapshotsToPrune,
  snapshotTimeMs,
} from "../../../src/lib/flows/snapshots/snapshot-policy.ts";
import { isHeld } from "../../../src/lib/flows/snapshots/snapshot-window.ts";
import { TRUTH_PREFIXES } from "../../../src/lib/flows/snapshots/truth-prefixes.ts";

const START_MS = Date.UTC(2026, 0, 5);
const named = fc.record({
  kind: fc.constantFrom(...SNAPSHOT_KINDS),
  id: fc.integer({ min: 0, max: 5_000 }).map((hour) => snapshotIdAt(START_MS + hour * HOUR_MS)),
});

describe("the policy of snapshots", () => {
  it("names an hour, and finds it again", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (timeMs) => {
        expect(snapshotTimeMs(snapshotIdAt(timeMs))).toBe(Math.floor(timeMs / HOUR_MS) * HOUR_MS);
      }),
    );
  });

  it("is satisfied by a snapshot of now, of each kind that was due", () => {
    fc.assert(
      fc.property(fc.array(named), fc.integer({ min: 0, max: 5_000 * HOUR_MS }), (present, offsetMs) => {
        const nowMs = START_MS + offsetMs;
        const taken = kindsDue(nowMs, present).map((kind) => ({ kind, id: snapshotIdAt(nowMs) }));
        expect(kindsDue(nowMs, [...present, ...taken])).toEqual([]);
      }),
    );
  });

  it("begins a week on Monday, 00:00 UTC", () => {
    const sunday = [{ kind: "weekly" as const, id: "20260104T230000Z" }];
    expect(kindsDue(Date.UTC(2026, 0, 4, 23, 59), sunday)).not.toContain("weekly");
    expect(kindsDue(Date.UTC(2026, 0, 5), sunday)).toContain("weekly");
  });

  it("prunes none of the newest of a kind, and all beyond them", () => {
    fc.assert(
      fc.property(fc.uniqueArray(named, { selector: ({ kind, id }) => kind + id, maxLength: 120 }), (present) => {
        const gone = new Set(snapshotsToPrune(present));
        for (const kind of SNAPSHOT_KINDS) {
          const newest = present.filter((each) => each.kind === kind).toSorted((a, b) => b.id.localeCompare(a.id));
          expect(newest.map((each) => gone.has(each))).toEqual(newest.map((_, index) => index >= SNAPSHOTS_KEPT[kind]));
        }
      }),
    );
  });
});

describe("what a snapshot holds", () => {
  it("is everything that it can have seen: an object that was there at any moment of its listing", () => {
    const times = fc.integer({ min: 0, max: 1_000_000 });
    fc.assert(
      fc.property(times, times, times, times, (createdAtMs, livedMs, begunAtMs, tookMs) => {
        const object = { createdAtMs, removedAtMs: createdAtMs + livedMs };
        const window = { begunAtMs, endedAtMs: begunAtMs + tookMs };
        const wasThere = object.createdAtMs <= window.endedAtMs && object.removedAtMs >= window.begunAtMs;
        if (wasThere) expect(isHeld(object, [window])).toBe(true);
        expect(isHeld(object, [])).toBe(false);
      }),
    );
  });

  it("is not what came after it, nor what was removed well before it began", () => {
    const window = { begunAtMs: 10_000, endedAtMs: 20_000 };
    expect(isHeld({ createdAtMs: 20_001, removedAtMs: 30_000 }, [window])).toBe(false);
    expect(isHeld({ createdAtMs: 0, removedAtMs: 8_999 }, [window])).toBe(false);
  });

  it("lies under prefixes that are in order, of which none begins another", () => {
    expect([...TRUTH_PREFIXES]).toEqual([...TRUTH_PREFIXES].sort());
    for (const prefix of TRUTH_PREFIXES)
      expect(TRUTH_PREFIXES.filter((other) => other.startsWith(prefix))).toEqual([prefix]);
  });
});

/** What docs/FORMATS.md describes and a snapshot leaves out; `key/` lies in KV. docs/snapshots.md has the reasons. */
const LEFT_OUT = ["audits/", "batches/", "idempotency/", "ingest_reports/", "key/", "removals/", "snapshots/"];

describe("the prefixes that are written down", () => {
  it("are each part of a snapshot, or left out on purpose", () => {
    const formats = readFileSync(new URL("../../../docs/FORMATS.md", import.meta.url), "utf8");
    const headings = formats.split("\n").filter((line) => line.startsWith("## "));
    const prefixes = new Set(headings.flatMap((line) => /`([a-z_]+\/)/.exec(line)?.[1] ?? []));
    const decided = new Set<string>([...TRUTH_PREFIXES, ...LEFT_OUT]);
    expect([...prefixes].filter((prefix) => !decided.has(prefix))).toEqual([]);
    expect(prefixes.size).toBeGreaterThan(LEFT_OUT.length);
  });
});

describe("a part", () => {
  const object = (index: number) => ({
    key: `wal/a/${String(index).padStart(5, "0")}.mpz`,
    size_bytes: index,
    etag: "00",
    hash: index % 2 === 0 ? null : "ff",
    uploaded_at: new Date(START_MS).toISOString(),
  });
  const objects = Array.from({ length: 100 }, (_, index) => object(index));

  it("is read as it was written", () => {
    const bytes = encodePart(objects);
    expect(decodePart(bytes, sha256HexSync(bytes))).toEqual({ ok: true, value: objects });
    const empty = encodePart([]);
    expect(decodePart(empty, sha256HexSync(empty))).toEqual({ ok: true, value: [] });
  });

  it("is damaged where a byte differs, where it is cut, and where it holds more than a part may", () => {
    const bytes = encodePart(objects);
    const damaged = { ok: false, error: { code: "part_damaged" } };
    for (let at = 0; at < bytes.length; at += 1) {
      expect(decodePart(bytes.with(at, (bytes[at] ?? 0) ^ 1), sha256HexSync(bytes))).toEqual(damaged);
      const cut = bytes.subarray(0, at);
      expect(decodePart(cut, sha256HexSync(cut))).toEqual(damaged);
    }
    const large = encodePart(Array.from({ length: PART_OBJECTS_MAX + 1 }, (_, index) => object(index)));
    expect(decodePart(large, sha256HexSync(large))).toEqual(damaged);
  });

  it("follows the one before it, or the listing is not whole", () => {
    const counts = { key: "", object_count: 0, size_bytes: 0, sha256: "" };
    const part = (after: string, last: string, isLast: boolean): StoredPart => ({ ...counts, after, last, isLast });
    expect(isWhole([part("", "b", false), part("b", "b", true)])).toBe(true);
    expect(isWhole([part("", "b", false), part("c", "d", true)])).toBe(false);
    expect(isWhole([part("", "b", false)])).toBe(false);
    expect(isWhole([])).toBe(false);
  });
});

describe("a walk over removals", () => {
  /** A bucket that lists so many keys at a time. */
  function listing(keys: readonly string[], pageMax: number): R2Bucket {
    const list = async ({ prefix = "", startAfter = "" }): Promise<R2Objects> => {
      const rest = keys.filter((key) => key.startsWith(prefix) && key > startAfter);
      const objects = rest.slice(0, pageMax).map((key) => ({ key, uploaded: new Date(key.length) }));
      const truncated = rest.length > pageMax;
      // What a walk looks at.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return { objects, truncated, delimitedPrefixes: [] } as unknown as R2Objects;
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return { list } as unknown as R2Bucket;
  }

  it("finds the marker of each key that has one, however pages fall", async () => {
    const keys = fc.uniqueArray(fc.string({ unit: fc.constantFrom("a", "b", "/"), minLength: 1, maxLength: 5 }));
    await fc.assert(
      fc.asyncProperty(keys, keys, fc.integer({ min: 1, max: 4 }), async (objects, removed, pageMax) => {
        const ascending = objects.map((key) => `wal/${key}`).sort();
        const markers = removed.map((key) => `removals/wal/${key}`).sort();
        const walk = new RemovalWalk(listing(markers, pageMax), { prefix: "wal/", after: "" });
        const found: string[] = [];
        for (const key of ascending) if ((await walk.removedAtMs(key)) !== undefined) found.push(key);
        expect(found).toEqual(ascending.filter((key) => markers.includes(`removals/${key}`)));
      }),
    );
  });
});
