import type { R2Bucket, R2Objects } from "@cloudflare/workers-types";

/** All objects of a prefix with their metadata, in pages of 1,000; what lies beyond `pagesMax` pages is left out. Throws when R2 fails. */
export async function listAll(
  bucket: R2Bucket,
  prefix: string,
  { pagesMax }: { readonly pagesMax: number },
): Promise<R2Objects["objects"]> {
  const objects: R2Objects["objects"] = [];
  for (let page = 0; page < pagesMax; page += 1) {
    const behind = objects.at(-1)?.key;
    const after = behind === undefined ? {} : { startAfter: behind };
    const listed = await bucket.list({ prefix, include: ["customMetadata"], ...after });
    objects.push(...listed.objects);
    if (!listed.truncated) break;
  }
  return objects;
}
