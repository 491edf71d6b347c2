import { err, ok, type Result } from "../base/result.ts";
import type { S3Error } from "./s3-error.ts";
import { xmlElements, xmlText } from "./xml-text.ts";

export interface S3ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** Without quotes. The MD5 of the content only where the server says so by habit: one put, no encryption with keys of its own. */
  readonly etag: string;
  readonly modifiedAtMs: number;
}

export interface S3Page {
  readonly objects: readonly S3ListedObject[];
  readonly isTruncated: boolean;
}

/** The reply of ListObjectsV2. Keys come URL-encoded where the reply says so. Pure. */
export function parseListReply(xml: string): Result<S3Page, S3Error> {
  const truncated = xmlText(xml, "IsTruncated");
  if (!xml.includes("<ListBucketResult") || (truncated !== "true" && truncated !== "false"))
    return err({ code: "s3_reply_invalid" });
  const isEncoded = xmlText(xml, "EncodingType") === "url";
  const objects: S3ListedObject[] = [];
  for (const entry of xmlElements(xml, "Contents")) {
    const object = parseEntry(entry, isEncoded);
    if (object === undefined) return err({ code: "s3_reply_invalid" });
    objects.push(object);
  }
  return ok({ objects, isTruncated: truncated === "true" });
}

function parseEntry(entry: string, isEncoded: boolean): S3ListedObject | undefined {
  const given = xmlText(entry, "Key");
  const key = given === undefined || !isEncoded ? given : decoded(given);
  const sizeBytes = Number(xmlText(entry, "Size"));
  const modifiedAtMs = Date.parse(xmlText(entry, "LastModified") ?? "");
  if (key === undefined || !Number.isSafeInteger(sizeBytes) || Number.isNaN(modifiedAtMs)) return undefined;
  return { key, sizeBytes, etag: bareEtag(xmlText(entry, "ETag")), modifiedAtMs };
}

/** Form encoding: a blank may come as "+". */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** An ETag without its quotes; '' for none. */
export function bareEtag(etag: string | null | undefined): string {
  return (etag ?? "").replace(/^W\//, "").replaceAll('"', "");
}
