import type { R2Bucket } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../../lib/base/result.ts";
import type { Problem } from "../../lib/contract/problem.ts";
import { byteRange } from "./byte-range.ts";
import { respond } from "./respond.ts";

/** An object as its registry knows it. */
interface StoredContent {
  readonly objectKey: string;
  /** Without quotes. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly mediaType: string;
  /** The object has to have this etag of R2; left out, its size has to be right. */
  readonly bucketEtag?: string;
}

/**
 * The content of an object, or the part of it that a Range header asks for; If-Range and If-None-Match hold. Errors: `storage_unavailable`, `not_found`
 * for an object that is gone, `conflict` for one that is not what its registry says.
 */
export async function storedContent(
  request: Request,
  bucket: R2Bucket,
  content: StoredContent,
): Promise<Result<Response, Problem>> {
  const etag = `"${content.etag}"`;
  const headers = {
    etag,
    "accept-ranges": "bytes",
    "content-type": content.mediaType,
    "content-disposition": "attachment",
  };
  if (isKnown(request.headers.get("if-none-match"), etag)) return ok(respond(null, 304, headers));
  const ifRange = request.headers.get("if-range");
  const asked = ifRange === null || ifRange === etag ? request.headers.get("range") : null;
  const range = byteRange(asked, content.sizeBytes);
  if (range === "unsatisfiable") return ok(respond(null, 416, { "content-range": `bytes */${content.sizeBytes}` }));
  const object = await bucket.get(content.objectKey, range === undefined ? {} : { range }).catch(() => undefined);
  if (object === undefined) return err({ code: "storage_unavailable" });
  if (object === null) return err({ code: "not_found", detail: "the object is gone" });
  // The registry and the object are written one after the other: between the two writes they differ.
  if (object.size !== content.sizeBytes || (content.bucketEtag ?? object.etag) !== object.etag)
    return err({ code: "conflict", detail: "the object is not the one that was named" });
  if (range === undefined) return ok(respond(object.body, 200, { ...headers, "content-length": String(object.size) }));
  const last = range.offset + range.length - 1;
  return ok(
    respond(object.body, 206, {
      ...headers,
      "content-length": String(range.length),
      "content-range": `bytes ${range.offset}-${last}/${object.size}`,
    }),
  );
}

function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  return ifNoneMatch?.split(/\s*,\s*/).some((tag) => tag === etag || tag === "*" || tag === `W/${etag}`) === true;
}
