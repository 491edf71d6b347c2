import { z } from "zod";
import { piiCountsSchema } from "./wal-record.ts";

export const rescanRequestSchema = z.strictObject({
  after: z.uuid().nullable().default(null).describe("`next` of the reply before; left out, from the start"),
  limit: z.int().min(1).max(200).default(100).describe("documents looked at in one call"),
  dry_run: z.boolean().default(false).describe("say what would come of it, and change nothing"),
  with_total: z.boolean().default(false).describe("also count all that older rules saw, from `after` on"),
});
export type RescanRequest = z.output<typeof rescanRequestSchema>;

/** Reply of `POST /v1/admin/pii/rescan`: one part of the work. */
export const rescanReplySchema = z.object({
  dry_run: z.boolean(),
  rules_version: z.string(),
  total_count: z
    .int()
    .nullable()
    .describe("documents from `after` on that older rules saw; null where it was not asked for"),
  scanned_count: z.int(),
  unchanged_count: z
    .int()
    .describe("hold nothing that the rules of now would change; marked as searched with them unless dry_run"),
  redacted_count: z.int().describe("redacted and on their way to be embedded anew; with dry_run, those that would be"),
  numbered_count: z
    .int()
    .describe(
      "of them, those whose placeholders are numbered against the policy: sealed ones would make them too large",
    ),
  failed_count: z.int().describe("whose text could not be read or sent; the next round meets them again"),
  pii_counts: piiCountsSchema.describe("what the rules of now found in the redacted ones"),
  next: z.string().nullable().describe("null: nothing is left after these"),
});
export type RescanReply = z.output<typeof rescanReplySchema>;
