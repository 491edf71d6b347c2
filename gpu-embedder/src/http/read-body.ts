import { err, ok, type Result } from "../base/result.ts";
import type { EmbedFailure } from "./embed-failure.ts";
import { isNestedDeeper } from "./json-nesting.ts";

/** Brackets open at once: the routes need three, fields that they do not know may have more. */
const NESTING_MAX = 64;
/** Bytes up to which nesting is not looked at: the parser is done with as many brackets in 25 ms. */
const NESTING_UNCHECKED_BYTES = 65_536;

const JSON_MEDIA_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/iu;
const utf8 = new TextDecoder("utf-8", { fatal: true });

function invalidJson(message: string): EmbedFailure {
  return { code: "invalid_json", message, param: null };
}

/** Reads a body of unknown length (chunked) and stops at the first byte over the limit. */
async function readChunks(request: Request, limitBytes: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of request.body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Node's parser holds a body to its Content-Length, so that a declared length needs no counting. */
async function readBytes(request: Request, limitBytes: number): Promise<Uint8Array | undefined> {
  const declared = request.headers.get("content-length");
  if (declared === null) return readChunks(request, limitBytes);
  return Number(declared) > limitBytes ? undefined : new Uint8Array(await request.arrayBuffer());
}

/**
 * Reads a request's JSON. A body needs no Content-Type, but one that names another type than JSON is refused, as
 * text-embeddings-inference does: a browser sends such a body to a foreign address unasked. Of duplicate keys the last one counts.
 * Errors: `unsupported_media_type`, `body_too_large`, `invalid_json` (also for bytes that are not UTF-8), `client_gone`.
 */
export async function readJson(request: Request, limitBytes: number): Promise<Result<unknown, EmbedFailure>> {
  const mediaType = request.headers.get("content-type");
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if ((mediaType !== null && !JSON_MEDIA_TYPE.test(mediaType)) || encoding.toLowerCase() !== "identity")
    return err({ code: "unsupported_media_type" });
  let bytes: Uint8Array | undefined;
  try {
    bytes = await readBytes(request, limitBytes);
  } catch {
    // the connection is the only thing that can fail here
    return err({ code: "client_gone" });
  }
  if (bytes === undefined) return err({ code: "body_too_large", limitBytes });
  if (bytes.byteLength > NESTING_UNCHECKED_BYTES && isNestedDeeper(bytes, NESTING_MAX))
    return err(invalidJson(`the body is nested deeper than ${NESTING_MAX}`));
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return err(invalidJson("the body is not UTF-8"));
  }
  try {
    return ok(JSON.parse(text));
  } catch {
    return err(invalidJson("the body is not JSON"));
  }
}
