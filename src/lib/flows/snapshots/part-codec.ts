/** A part of a snapshot as bytes: one JSON object a line, in order of keys, compressed by zstd. */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { utf8Bytes, utf8Text } from "../../base/bytes.ts";
import { sha256HexSync } from "../../base/hash.ts";
import { ZLIB_OUTPUT_SLACK_BYTES } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { type SnapshotObject, snapshotObjectSchema } from "../../contract/snapshot.ts";

/** Objects of a part: five pages of a listing. A reader holds one part, 1 to 2 MB of JSON; five million objects are a thousand parts. */
export const PART_OBJECTS_MAX = 5_000;
/** Bytes of its lines: each has a key of at most 1,024 bytes and some 250 more. */
const PART_BYTES_MAX = 8 * 1024 * 1024;

export function encodePart(objects: readonly SnapshotObject[]): Uint8Array {
  const lines = objects.map(({ key, size_bytes, etag, hash, uploaded_at }) =>
    JSON.stringify({ key, size_bytes, etag, hash, uploaded_at }),
  );
  return new Uint8Array(zstdCompressSync(utf8Bytes(lines.map((line) => `${line}\n`).join(""))));
}

/** The objects of a part whose bytes have this hash; whatever differs is `part_damaged`. */
export function decodePart(
  bytes: Uint8Array,
  sha256: string,
): Result<readonly SnapshotObject[], { readonly code: "part_damaged" }> {
  if (sha256HexSync(bytes) !== sha256) return err({ code: "part_damaged" });
  try {
    const raw = zstdDecompressSync(bytes, { maxOutputLength: PART_BYTES_MAX + ZLIB_OUTPUT_SLACK_BYTES });
    const lines = (utf8Text(raw) ?? "").split("\n").filter((line) => line !== "");
    if (raw.length > PART_BYTES_MAX || lines.length > PART_OBJECTS_MAX) return err({ code: "part_damaged" });
    return ok(lines.map((line) => snapshotObjectSchema.parse(JSON.parse(line))));
  } catch {
    return err({ code: "part_damaged" });
  }
}
