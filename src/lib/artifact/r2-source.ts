import type { R2Bucket } from "@cloudflare/workers-types";
import type { PackSource } from "./pack-reader.ts";

/** A pack in R2 whose size the registry knows: one ranged get a read. An object that is gone rejects. */
export function r2Source(
  bucket: Pick<R2Bucket, "get">,
  { key, sizeBytes }: { readonly key: string; readonly sizeBytes: number },
): PackSource {
  return {
    sizeBytes,
    async read(range) {
      const object = await bucket.get(key, { range });
      if (object === null) throw new Error("the object is gone");
      return new Uint8Array(await object.arrayBuffer());
    },
  };
}
