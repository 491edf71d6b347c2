import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listNames } from "../../src/lib/bucket/list-names.ts";
import { listAll, listObjects, listPage, listPages } from "../../src/lib/bucket/list-objects.ts";
import { type OpenedBucket, openR2Bucket } from "../support/r2-bucket.ts";

const NAMES = ["a/1", "a/2", "a/3", "b/1", "c/1"] as const;

let held: OpenedBucket;

beforeAll(async () => {
  held = await openR2Bucket();
  for (const name of NAMES) await held.bucket.put(`seven/${name}`, name, { customMetadata: { name } });
  await held.bucket.put("sevenfold", "beside the folder");
});
afterAll(() => held?.close());

async function pagesOf(options: Omit<Parameters<typeof listPages>[1], "prefix">): Promise<readonly string[][]> {
  const pages: string[][] = [];
  for await (const page of listPages(held.bucket, { prefix: "seven/", ...options }))
    pages.push(page.map(({ key }) => key.slice("seven/".length)));
  return pages;
}

describe("a listing of a bucket", () => {
  it("brings every object of a prefix once, in order, page by page", async () => {
    expect(await pagesOf({ keysMax: 2 })).toEqual([["a/1", "a/2"], ["a/3", "b/1"], ["c/1"]]);
    expect(await pagesOf({ keysMax: 5 })).toEqual([NAMES]);
    expect(await pagesOf({ keysMax: 2, startAfter: "seven/a/3" })).toEqual([["b/1", "c/1"]]);
  });

  it("ends where its caller bounds it", async () => {
    expect(await pagesOf({ keysMax: 2, pagesMax: 2 })).toEqual([
      ["a/1", "a/2"],
      ["a/3", "b/1"],
    ]);
    const first = await listAll(held.bucket, { prefix: "seven/", keysMax: 3, pagesMax: 1 });
    expect(first.map(({ key }) => key)).toEqual(["seven/a/1", "seven/a/2", "seven/a/3"]);
  });

  it("asks for the next page only when its objects are wanted, and goes on though what it brought is deleted", async () => {
    const gone: string[] = [];
    for await (const { key } of listObjects(held.bucket, { prefix: "seven/", keysMax: 1 })) {
      await held.bucket.delete(key);
      gone.push(key);
      if (gone.length === 3) break;
    }
    expect(gone).toEqual(["seven/a/1", "seven/a/2", "seven/a/3"]);
    const left = await listPage(held.bucket, { prefix: "seven/", isWithMetadata: true });
    expect(left.objects.map(({ customMetadata }) => customMetadata)).toEqual([{ name: "b/1" }, { name: "c/1" }]);
    expect(left.next).toBeUndefined();
  });

  it("names the folders under a prefix, each once", async () => {
    expect(await listNames(held.bucket, "seven/")).toEqual(["b", "c"]);
  });
});
