import type { R2Bucket } from "@cloudflare/workers-types";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

export interface OpenedBucket {
  readonly bucket: R2Bucket;
  close(): Promise<void>;
}

/** An empty bucket of workerd's own R2, in memory. */
export async function openR2Bucket(): Promise<OpenedBucket> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: "export default { fetch() { return new Response(); } }",
      compatibilityDate: "2026-11-01",
      r2Buckets: ["BUCKET"],
      cf: false,
    }),
  );
  // The same binding, typed by another copy of the types.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { bucket: (await miniflare.getR2Bucket("BUCKET")) as unknown as R2Bucket, close: () => miniflare.dispose() };
}
