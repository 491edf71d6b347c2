import { createHash } from "node:crypto";
import { boundedText } from "../base/bounded-text.ts";
import { utf8Bytes } from "../base/bytes.ts";
import { sha256HexSync } from "../base/hash.ts";
import { err, ok, type Result } from "../base/result.ts";
import { bareEtag, parseListReply, type S3Page } from "./list-reply.ts";
import { type S3Error, s3ErrorOf } from "./s3-error.ts";
import { type S3Access, s3CodeIn, type S3Ports, type S3Request, sendS3 } from "./s3-request.ts";
import { xmlEscaped, xmlText } from "./xml-text.ts";

export interface S3Head {
  readonly sizeBytes: number;
  readonly etag: string;
  readonly modifiedAtMs: number;
  /** User metadata by name without `x-amz-meta-`, names in lower case. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** What an object is stored with. Metadata: names in lower case, values of printable ASCII, 2 KB together. */
export interface S3PutOptions {
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export interface S3Upload {
  readonly key: string;
  readonly uploadId: string;
}

/** Keys of one page, the most that S3 gives; and bytes of its XML: a key may have 1,024 bytes, each written as three. */
const LIST_KEYS_MAX = 1_000;
const LIST_BYTES_MAX = 8 * 1024 * 1024;
const REPLY_BYTES_MAX = 64 * 1024;
const METADATA_PREFIX = "x-amz-meta-";

/**
 * A bucket of any S3-compatible server, in workerd and Node alike. What is sent is signed with its SHA-256 and carries its MD5, so that a server that
 * received other bytes refuses them. Every call is repeated as `sendS3` says; none throws.
 */
export class S3Client {
  readonly #way: { readonly access: S3Access; readonly ports: S3Ports };

  constructor(access: S3Access, ports: S3Ports) {
    this.#way = { access, ports };
  }

  /** One page of keys in the order of their UTF-8 bytes, behind `startAfter`. */
  list(page: { readonly startAfter: string; readonly keysMax?: number }): Promise<Result<S3Page, S3Error>> {
    const query = {
      "list-type": "2",
      "encoding-type": "url",
      "max-keys": String(page.keysMax ?? LIST_KEYS_MAX),
      ...(page.startAfter === "" ? {} : { "start-after": page.startAfter }),
    };
    return sendS3(this.#way, { method: "GET", key: null, query }, async (response) => {
      const xml = await boundedText(response, LIST_BYTES_MAX);
      return xml === undefined ? err({ code: "s3_reply_invalid" }) : parseListReply(xml);
    });
  }

  /** null: there is no such object. */
  async head(key: string): Promise<Result<S3Head | null, S3Error>> {
    const head = await sendS3(this.#way, { method: "HEAD", key }, async ({ headers }) => ok(headOf(headers)));
    return !head.ok && head.error.code === "s3_not_found" ? ok(null) : head;
  }

  /** Exactly those bytes, at least one. Errors: `s3_truncated` where the object ends before, `s3_not_found`. */
  get(
    key: string,
    { offset, length }: { readonly offset: number; readonly length: number },
  ): Promise<Result<Uint8Array<ArrayBuffer>, S3Error>> {
    const headers = { range: `bytes=${offset}-${offset + length - 1}` };
    return mapRangeError(
      sendS3(this.#way, { method: "GET", key, headers }, async (response) => {
        if (response.status !== 206 && offset > 0) return err({ code: "s3_reply_invalid", status: response.status });
        const bytes = await boundedBytes(response, length);
        return bytes === undefined ? err({ code: "s3_truncated" }) : ok(bytes);
      }),
    );
  }

  put(key: string, bytes: Uint8Array<ArrayBuffer>, options: S3PutOptions): Promise<Result<{ etag: string }, S3Error>> {
    return this.#sendBytes({ method: "PUT", key, headers: headersOf(options) }, bytes);
  }

  /** Deleting what is not there succeeds. */
  async delete(key: string): Promise<Result<void, S3Error>> {
    const deleted = await sendS3(this.#way, { method: "DELETE", key }, discarded);
    return !deleted.ok && deleted.error.code === "s3_not_found" ? ok(undefined) : deleted;
  }

  /** Begins an upload in parts. Nothing is seen under the key before `completeUpload`. */
  createUpload(key: string, options: S3PutOptions): Promise<Result<S3Upload, S3Error>> {
    const request = { method: "POST", key, query: { uploads: "" }, headers: headersOf(options) } as const;
    return sendS3(this.#way, request, async (response) => {
      const uploadId = xmlText((await boundedText(response, REPLY_BYTES_MAX)) ?? "", "UploadId");
      return uploadId === undefined ? err({ code: "s3_reply_invalid" }) : ok({ key, uploadId });
    });
  }

  /** Parts are numbered from 1 and of equal size, 5 MiB at least, but for the last one. The same number again replaces the part. */
  uploadPart(
    { key, uploadId }: S3Upload,
    partNumber: number,
    bytes: Uint8Array<ArrayBuffer>,
  ): Promise<Result<{ etag: string }, S3Error>> {
    return this.#sendBytes({ method: "PUT", key, query: { partNumber: String(partNumber), uploadId } }, bytes);
  }

  /** Makes one object of the parts, given by their etags in order. Errors: `s3_upload_missing` also where it was completed before. */
  completeUpload({ key, uploadId }: S3Upload, etags: readonly string[]): Promise<Result<{ etag: string }, S3Error>> {
    const parts = etags.map(
      (etag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>"${xmlEscaped(etag)}"</ETag></Part>`,
    );
    const body = Uint8Array.from(utf8Bytes(`<CompleteMultipartUpload>${parts.join("")}</CompleteMultipartUpload>`));
    const request = { method: "POST", key, query: { uploadId }, body, sha256Hex: sha256HexSync(body) } as const;
    return sendS3(this.#way, request, async (response) => {
      // A reply of 200 begins before the server knows how it ends.
      const xml = (await boundedText(response, REPLY_BYTES_MAX)) ?? "";
      if (xml.includes("<Error>")) return err(s3ErrorOf(500, s3CodeIn(xml)));
      const etag = xmlText(xml, "ETag");
      return etag === undefined ? err({ code: "s3_reply_invalid" }) : ok({ etag: bareEtag(etag) });
    });
  }

  /** Gives up an upload and its parts. One that is gone already is as good. */
  async abortUpload({ key, uploadId }: S3Upload): Promise<Result<void, S3Error>> {
    const aborted = await sendS3(this.#way, { method: "DELETE", key, query: { uploadId } }, discarded);
    const isGone = !aborted.ok && ["s3_upload_missing", "s3_not_found"].includes(aborted.error.code);
    return isGone ? ok(undefined) : aborted;
  }

  #sendBytes(request: S3Request, bytes: Uint8Array<ArrayBuffer>): Promise<Result<{ etag: string }, S3Error>> {
    const md5 = createHash("md5").update(bytes).digest("base64");
    const headers = { ...request.headers, "content-md5": md5 };
    return sendS3(
      this.#way,
      { ...request, headers, body: bytes, sha256Hex: sha256HexSync(bytes) },
      async (response) => {
        await response.body?.cancel();
        return ok({ etag: bareEtag(response.headers.get("etag")) });
      },
    );
  }
}

function headersOf({ contentType, metadata }: S3PutOptions): Record<string, string> {
  const named = Object.entries(metadata).map(([name, value]) => [`${METADATA_PREFIX}${name}`, value]);
  return { "content-type": contentType, ...Object.fromEntries(named) };
}

function headOf(headers: Headers): S3Head {
  const metadata = [...headers]
    .filter(([name]) => name.startsWith(METADATA_PREFIX))
    .map(([name, value]) => [name.slice(METADATA_PREFIX.length), value]);
  return {
    sizeBytes: Number(headers.get("content-length") ?? 0),
    etag: bareEtag(headers.get("etag")),
    modifiedAtMs: Date.parse(headers.get("last-modified") ?? "") || 0,
    metadata: Object.fromEntries(metadata),
  };
}

async function discarded(response: Response): Promise<Result<void, S3Error>> {
  await response.body?.cancel();
  return ok(undefined);
}

/** A range that begins behind the end of the object. */
async function mapRangeError<T>(got: Promise<Result<T, S3Error>>): Promise<Result<T, S3Error>> {
  const result = await got;
  return !result.ok && result.error.status === 416 ? err({ ...result.error, code: "s3_truncated" }) : result;
}

/** The first `length` bytes of a body; undefined where it has fewer. What is behind them is not read. */
async function boundedBytes({ body }: Response, length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (body === null) return undefined;
  const bytes = new Uint8Array(length);
  const reader = body.getReader();
  for (let filled = 0; filled < length;) {
    const { done, value } = await reader.read();
    if (done) return undefined;
    bytes.set(value.subarray(0, length - filled), filled);
    filled += value.length;
  }
  await reader.cancel();
  return bytes;
}
