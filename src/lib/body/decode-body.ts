import { err, type Result } from "../base/result.ts";
import type { Problem } from "../contract/problem.ts";
import type { BodyLimits } from "./body-limits.ts";
import { decodeJson } from "./decode-json.ts";
import { decodeMsgpack } from "./decode-msgpack.ts";
import { decodeNdjson } from "./decode-ndjson.ts";
import { refusal, type DecodedBody } from "./decoded-body.ts";
import { decompress } from "./decompress.ts";

export type BodyFormat = "json" | "ndjson" | "msgpack";

const FORMATS: ReadonlyMap<string, BodyFormat> = new Map([
  ["application/json", "json"],
  ["application/x-ndjson", "ndjson"],
  ["application/ndjson", "ndjson"],
  ["application/jsonl", "ndjson"],
  ["application/x-jsonlines", "ndjson"],
  ["application/msgpack", "msgpack"],
  ["application/x-msgpack", "msgpack"],
  ["application/vnd.msgpack", "msgpack"],
]);

/** Media types of an ingest body. */
export const BODY_MEDIA_TYPES: readonly string[] = [...FORMATS.keys()];

/** Format that a Content-Type names; none given means JSON. Parameters are ignored, since every format is UTF-8. */
export function bodyFormat(contentType: string): BodyFormat | undefined {
  const mediaType = contentType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return mediaType === "" ? "json" : FORMATS.get(mediaType);
}

/** What the headers of a request say about its body; '' where a header is missing. */
export interface BodyHeaders {
  readonly contentType: string;
  readonly contentEncoding: string;
}

const DECODERS = { json: decodeJson, ndjson: decodeNdjson, msgpack: decodeMsgpack } as const satisfies Record<
  BodyFormat,
  (bytes: Uint8Array, limits: BodyLimits) => Result<DecodedBody, Problem>
>;

/** From the bytes of a request to its inputs. Pure; every refusal is a `Problem` without content. */
export function decodeBody(bytes: Uint8Array, headers: BodyHeaders, limits: BodyLimits): Result<DecodedBody, Problem> {
  const format = bodyFormat(headers.contentType);
  if (format === undefined) {
    return err(refusal("media_type_unsupported", "use application/json, application/x-ndjson or application/msgpack"));
  }
  const plain = decompress(bytes, headers.contentEncoding, limits);
  if (!plain.ok) return plain;
  return DECODERS[format](plain.value, limits);
}
