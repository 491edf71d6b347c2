/** Bytes of a segment: header, records, footer. docs/FORMATS.md has the table. */
import { crc32 } from "node:zlib";
import { z } from "zod";
import { identifierSchema, tenantIdSchema } from "../contract/scope.ts";

/** "JVSG" and "JVSE" in ASCII, big-endian. */
export const SEGMENT_MAGIC = 0x4a565347;
export const FOOTER_MAGIC = 0x4a565345;
export const SEGMENT_VERSION = 1;
/** Magic, version, three zero bytes, bytes of the head, CRC-32 of the head. */
export const PREFIX_BYTES = 16;
/** Length and CRC-32 before each record's payload. */
export const RECORD_PREFIX_BYTES = 8;
/** Stands where a record's length would: no frame is that long. */
export const FOOTER_MARK = 0xffffffff;
/** Mark, number of records, CRC-32 of these eight bytes, magic. */
export const FOOTER_BYTES = 16;

/** Whose events a segment holds, and where they begin. */
export const segmentHeadSchema = z.strictObject({
  tenant_id: tenantIdSchema,
  user_id: z.string().max(200),
  session_id: identifierSchema,
  first_seq: z.int().min(1),
  created_at_ms: z.int(),
});
export type SegmentHead = z.infer<typeof segmentHeadSchema>;

/** CRC-32 over a record's length and payload: a damaged length is seen like a damaged payload. */
export function recordCrc(payload: Uint8Array): number {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, payload.length);
  return crc32(payload, crc32(length));
}
