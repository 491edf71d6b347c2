import { z } from "zod";
import { piiCountsSchema } from "./wal-record.ts";

export const rescanRequestSchema = z.strictObject({
  after: z.uuid().nullable().default(null).describe("`next` of the reply before; left out, from the start"),
  limit: z.int().min(1).max(200).default(100).describe("documents looked at in one call"),
});
export type RescanRequest = z.output<typeof rescanRequestSchema>;

/** Reply of `POST /v1/admin/pii/rescan`: one part of the work. */
export const rescanReplySchema = z.object({
  rules_version: z.string(),
  scanned_count: z.int(),
  unchanged_count: z.int().describe("hold nothing that the rules of now would change; marked as searched with them"),
  redacted_count: z.int().describe("redacted and on their way to be embedded anew"),
  failed_count: z.int().describe("whose text could not be read or sent; the next round meets them again"),
  pii_counts: piiCountsSchema.describe("what the rules of now found in the redacted ones"),
  next: z.string().nullable().describe("null: nothing is left after these"),
});
export type RescanReply = z.output<typeof rescanReplySchema>;
