import type { R2Bucket } from "@cloudflare/workers-types";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import type { S3Access } from "../../src/lib/s3/s3-request.ts";

/** A bucket behind a real S3 endpoint with SigV4: the one that Miniflare puts before its R2. */
export interface S3Server {
  readonly access: S3Access;
  /** The same bucket, to look at and to damage. */
  readonly bucket: R2Bucket;
  close(): Promise<void>;
}

const CREDENTIALS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const BUCKET = "remote";

export async function openS3Server(): Promise<S3Server> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: "export default { fetch() { return new Response(); } }",
      compatibilityDate: "2026-11-01",
      r2Buckets: { BUCKET: { id: BUCKET, s3Credentials: CREDENTIALS } },
      cf: false,
    }),
  );
  const url = await miniflare.ready;
  return {
    access: { ...CREDENTIALS, endpoint: new URL("/cdn-cgi/local/r2/s3", url).href, bucket: BUCKET, region: "auto" },
    // The same binding, typed by another copy of the types.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    bucket: (await miniflare.getR2Bucket("BUCKET")) as unknown as R2Bucket,
    close: () => miniflare.dispose(),
  };
}
