/**
 * What an R2 object has beside its bytes, as one piece of user metadata of its copy: `1.` and the base64url of the gzip of its JSON. S3 carries 2 KB of
 * printable ASCII in names without case; R2 carries 8 KB of anything.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import type { R2HTTPMetadata, R2Object } from "@cloudflare/workers-types";
import { z } from "zod";
import { ZLIB_OUTPUT_SLACK_BYTES } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { utf8Text } from "../../base/bytes.ts";
import { fromBase64Url, toBase64Url } from "../../pii/base64url.ts";
import type { SyncError } from "./sync-error.ts";

const METADATA_NAME = "jeeves";
const VERSION = "1.";
/** Of names and values together, as S3 counts it; the name has six characters. */
const VALUE_CHARACTERS_MAX = 2_000;
/** R2 takes 8 KB of metadata; as JSON a character may be six. */
const JSON_BYTES_MAX = 64 * 1024;

const storedFormSchema = z.object({
  etag: z.string(),
  http: z.record(z.string(), z.string()),
  custom: z.record(z.string(), z.string()),
});
/** The object as R2 had it. */
export type StoredForm = z.infer<typeof storedFormSchema>;

type Described = Pick<R2Object, "etag" | "httpMetadata" | "customMetadata">;

export function storedFormOf({ etag, httpMetadata, customMetadata }: Described): StoredForm {
  return { etag, http: sorted(httpMetadata ?? {}), custom: sorted(customMetadata ?? {}) };
}

/** The same names in the same order, without what is not set; times as text. */
function sorted(metadata: R2HTTPMetadata | Record<string, string>): Record<string, string> {
  const entries = Object.entries(metadata).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries
      .map(([name, value]): [string, string] => [name, value instanceof Date ? value.toISOString() : String(value)])
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

export function encodeStoredForm(form: StoredForm): Result<Readonly<Record<string, string>>, SyncError> {
  const value = VERSION + toBase64Url(gzipSync(JSON.stringify(form), { level: 9 }));
  return value.length > VALUE_CHARACTERS_MAX ? err({ code: "metadata_too_large" }) : ok({ [METADATA_NAME]: value });
}

/** Undefined: the object was not copied by us, or is of a version that is not known here. */
export function decodeStoredForm(metadata: Readonly<Record<string, string>>): StoredForm | undefined {
  const value = metadata[METADATA_NAME];
  if (value?.startsWith(VERSION) !== true || value.length > VALUE_CHARACTERS_MAX) return undefined;
  try {
    const zipped = fromBase64Url(value.slice(VERSION.length));
    if (zipped === undefined) return undefined;
    const json = utf8Text(gunzipSync(zipped, { maxOutputLength: JSON_BYTES_MAX + ZLIB_OUTPUT_SLACK_BYTES }));
    return storedFormSchema.safeParse(JSON.parse(json ?? "")).data;
  } catch {
    return undefined;
  }
}

/** Whether a copy was made of the object as it is now. */
export function isCopyOf(copy: StoredForm, object: Described): boolean {
  return JSON.stringify(copy) === JSON.stringify(storedFormOf(object));
}
