/** One request to an S3-compatible server: signed (aws4fetch), with a time of its own, and repeated where that can help. */
import { AwsV4Signer } from "aws4fetch";
import type { Clock, Random } from "../base/clock.ts";
import { boundedText } from "../base/bounded-text.ts";
import { err, type Result } from "../base/result.ts";
import { isRetryable, type S3Error, s3ErrorOf } from "./s3-error.ts";
import { xmlText } from "./xml-text.ts";

/** Which bucket, and with what keys. The secret stays in here: no error, no log line holds it. */
export interface S3Access {
  /** Base URL of the server, a path included where it has one. The bucket is a part of the path, as every server understands. */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface S3Ports {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly clock: Clock;
  readonly random: Random;
  readonly sleep: (delayMs: number) => Promise<void>;
}

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** null: the bucket itself. */
  readonly key: string | null;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** One attempt, milliseconds: a part of 8 MiB over a line of 2 Mbit/s. */
const ATTEMPT_TIMEOUT_MS = 40_000;
/** With waits of up to 8 s in between: a server that is throttled or restarts is given a quarter of a minute. */
const ATTEMPTS_MAX = 6;
const BACKOFF_FIRST_MS = 250;
const BACKOFF_MS_MAX = 8_000;
/** Bytes of an error's XML that are read for its code. */
const ERROR_BYTES_MAX = 64 * 1024;
/** SHA-256 of nothing: what a request without a body is signed with. */
const EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A name as S3 signs it: RFC 3986, and nothing but unreserved characters as they are. */
function strictlyEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function urlOf({ endpoint, bucket }: S3Access, { key, query = {} }: S3Request): string {
  const path = key === null ? "" : `/${key.split("/").map(strictlyEncoded).join("/")}`;
  const search = Object.entries(query).map(([name, value]) => `${strictlyEncoded(name)}=${strictlyEncoded(value)}`);
  return `${endpoint.replace(/\/+$/, "")}/${bucket}${path}${search.length === 0 ? "" : `?${search.join("&")}`}`;
}

/**
 * Sends a request until it succeeds, fails for good, or was tried `ATTEMPTS_MAX` times; waits double from a quarter of a second, with full jitter.
 * `read` takes a reply of 2xx and belongs to the attempt: a body that breaks off is asked for again. `sha256Hex` is that of the body.
 */
export async function sendS3<T>(
  { access, ports }: { readonly access: S3Access; readonly ports: S3Ports },
  request: S3Request & { readonly sha256Hex?: string },
  read: (response: Response) => Promise<Result<T, S3Error>>,
): Promise<Result<T, S3Error>> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await attemptOnce({ access, ports }, request, read);
    if (result.ok || attempt >= ATTEMPTS_MAX || !isRetryable(result.error)) return result;
    await ports.sleep(ports.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_FIRST_MS * 2 ** (attempt - 1)));
  }
}

async function attemptOnce<T>(
  { access, ports }: { readonly access: S3Access; readonly ports: S3Ports },
  request: S3Request & { readonly sha256Hex?: string },
  read: (response: Response) => Promise<Result<T, S3Error>>,
): Promise<Result<T, S3Error>> {
  try {
    const signed = await signerOf(access, request, ports.clock()).sign();
    const response = await ports.fetch(signed.url.toString(), {
      method: request.method,
      headers: Object.fromEntries(signed.headers),
      ...(request.body === undefined ? {} : { body: request.body }),
      redirect: "manual",
      signal: AbortSignal.timeout(ATTEMPT_TIMEOUT_MS),
    });
    return response.ok ? await read(response) : err(await errorOf(response));
  } catch (thrown) {
    const isLate = thrown instanceof Error && thrown.name === "TimeoutError";
    return err({ code: isLate ? "s3_timeout" : "s3_connection_lost" });
  }
}

function signerOf(access: S3Access, request: S3Request & { readonly sha256Hex?: string }, nowMs: number): AwsV4Signer {
  const { accessKeyId, secretAccessKey, region } = access;
  const contentHash = request.body === undefined ? EMPTY_SHA256 : (request.sha256Hex ?? "UNSIGNED-PAYLOAD");
  return new AwsV4Signer({
    method: request.method,
    url: urlOf(access, request),
    headers: { ...request.headers, "x-amz-content-sha256": contentHash },
    accessKeyId,
    secretAccessKey,
    region,
    service: "s3",
    datetime: new Date(nowMs).toISOString().replaceAll(/[:-]|\.\d{3}/g, ""),
  });
}

/** A reply's error. The body may quote the signed request: nothing but the code is taken from it. */
async function errorOf(response: Response): Promise<S3Error> {
  const xml = (await boundedText(response, ERROR_BYTES_MAX)) ?? "";
  return s3ErrorOf(response.status, s3CodeIn(xml));
}

/** The code in the XML of an error, letters only. */
export function s3CodeIn(xml: string): string | undefined {
  const code = xmlText(xml, "Code");
  return code !== undefined && /^[A-Za-z0-9]{1,64}$/.test(code) ? code : undefined;
}
