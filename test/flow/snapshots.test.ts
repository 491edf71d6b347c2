import type { R2Bucket } from "@cloudflare/workers-types";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { removeObjects } from "../../src/lib/flows/snapshots/remove-objects.ts";
import { expectOk } from "../support/database.ts";
import { CrashPoint } from "./support/crashing.ts";
import { openWorld, type World } from "./support/world.ts";

/** Bounds the search for the last crash point. */
const CALLS_MAX = 60;

let world: World;
let bucket: R2Bucket;
beforeAll(async () => {
  world = await openWorld();
  bucket = world.bucket;
});
afterAll(() => world?.close());

async function keysUnder(prefix: string): Promise<readonly string[]> {
  return (await bucket.list({ prefix })).objects.map(({ key }) => key);
}

beforeEach(async () => {
  const keys = (await Promise.all(["snapshots/", "removals/", "wal/"].map(keysUnder))).flat();
  if (keys.length > 0) await bucket.delete([...keys]);
});

/** An object of the truth, as far as snapshots look at it. */
const put = (key: string, bytes = key) => bucket.put(key, bytes, { customMetadata: { hash: "00" } });
/** A snapshot of this moment, as far as removals look at it. */
const putManifest = (begunAtMs = Date.now()) =>
  bucket.put("snapshots/hourly/20260101T000000Z.json", "{}", {
    customMetadata: { begun_at: new Date(begunAtMs).toISOString() },
  });
/** Objects that are written after this came to be after everything before it, by the clock of R2. */
async function passTime(): Promise<void> {
  const writtenAtMs = async (): Promise<number> => (await bucket.put("clock", "")).uploaded.getTime();
  const firstMs = await writtenAtMs();
  for (let latestMs = firstMs; latestMs <= firstMs; latestMs = await writtenAtMs());
}

describe("removing objects", () => {
  it("removes at once what no snapshot names, and counts what is not there", async () => {
    await put("wal/a/1.mpz");
    await put("wal/a/2.mpz");
    const removed = await removeObjects(world.context(), ["wal/a/1.mpz", "wal/a/2.mpz", "wal/a/none.mpz"], "packed");
    expect(expectOk(removed)).toEqual({ removedCount: 3, keptCount: 0 });
    expect(await keysUnder("wal/")).toEqual([]);
    expect(await keysUnder("removals/")).toEqual([]);
  });

  it("keeps what a snapshot names, and marks it with its reason", async () => {
    await put("wal/a/1.mpz", "hello");
    await putManifest();
    await passTime();
    await put("wal/a/2.mpz");
    const removed = await removeObjects(world.context(), ["wal/a/1.mpz", "wal/a/2.mpz"], "packed");
    expect(expectOk(removed)).toEqual({ removedCount: 1, keptCount: 1 });
    expect(await keysUnder("wal/")).toEqual(["wal/a/1.mpz"]);
    expect(await keysUnder("removals/")).toEqual(["removals/wal/a/1.mpz"]);
    const marker = await bucket.head("removals/wal/a/1.mpz");
    expect(marker?.customMetadata).toMatchObject({ why: "packed", size_bytes: "5" });
  });

  it("keeps everything while a listing is under way", async () => {
    await bucket.put("snapshots/begun/20260101T000000Z.json", "{}");
    await put("wal/a/1.mpz");
    const removed = await removeObjects(world.context(), ["wal/a/1.mpz"], "packed");
    expect(expectOk(removed)).toEqual({ removedCount: 0, keptCount: 1 });
  });

  it("leaves the first marker where it is removed again", async () => {
    await put("wal/a/1.mpz");
    await putManifest();
    await removeObjects(world.context(), ["wal/a/1.mpz"], "first");
    const again = await removeObjects(world.context(), ["wal/a/1.mpz", "wal/a/1.mpz"], "second");
    expect(expectOk(again)).toEqual({ removedCount: 0, keptCount: 1 });
    expect((await bucket.head("removals/wal/a/1.mpz"))?.customMetadata?.["why"]).toBe("first");
  });

  it("keeps what was written anew in its place after the snapshot: the snapshot names its first form", async () => {
    await put("wal/a/1.mpz");
    const first = await bucket.head("wal/a/1.mpz");
    await putManifest();
    await passTime();
    const createdAt = first?.uploaded.toISOString() ?? "";
    await bucket.put("wal/a/1.mpz", "anew", { customMetadata: { created_at: createdAt } });
    expect(expectOk(await removeObjects(world.context(), ["wal/a/1.mpz"], "packed")).keptCount).toBe(1);
  });

  it("takes more keys than one call of R2", async () => {
    const keys = Array.from({ length: 1_001 }, (_, index) => `wal/a/${String(index).padStart(4, "0")}.mpz`);
    await put("wal/a/0000.mpz");
    await put("wal/a/1000.mpz");
    expect(expectOk(await removeObjects(world.context(), keys, "packed")).removedCount).toBe(1_001);
    expect(await keysUnder("wal/")).toEqual([]);
  });

  it("leaves object and marker, or neither, wherever it crashes; repeated, it ends the same", async () => {
    for (const isHeld of [false, true]) {
      let isThrough = false;
      for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += 1) {
        for (const moment of ["before", "after"] as const) {
          await put("wal/a/1.mpz");
          if (isHeld) await putManifest();
          const crash = new CrashPoint({ callIndex, moment });
          await removeObjects(world.context(crash), ["wal/a/1.mpz"], "packed");
          isThrough = !crash.hasCrashed;
          if (isHeld) expect(await keysUnder("wal/")).toHaveLength(1);
          await removeObjects(world.context(), ["wal/a/1.mpz"], "packed");
          expect(await keysUnder("wal/")).toHaveLength(isHeld ? 1 : 0);
        }
      }
      expect(isThrough).toBe(true);
    }
  });
});
