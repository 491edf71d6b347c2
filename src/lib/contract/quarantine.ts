import { z } from "zod";
import { piiCountsSchema } from "./wal-record.ts";
import { reasonSchema } from "./verdict.ts";

/** One quarantined input: which, why, how large, and what was decided. There is no text in it. */
export const quarantinedSchema = z.object({
  quarantine_id: z.string(),
  user_id: z.string().nullable(),
  document_id: z.string(),
  tier: z.string(),
  source: z.string(),
  batch_tag: z.string(),
  reasons: z.array(reasonSchema),
  size_bytes: z.int(),
  state: z.enum(["held", "releasing", "released", "purged"]),
  decided_by: z.string().nullable().describe("id of the key that decided, or `retention`"),
  decided_at: z.iso.datetime().nullable(),
  decision_note: z.string(),
  released_as: z.string().nullable().describe("id of the receipt under which a released input went on"),
  text_removed_at: z.iso.datetime().nullable(),
  created_at: z.iso.datetime(),
});
export type Quarantined = z.output<typeof quarantinedSchema>;

/** Reply of `GET /v1/quarantine/{id}`. The preview shows no personal data: every span that the rules of now find is a placeholder. */
export const inspectedSchema = quarantinedSchema.extend({
  title_preview: z.string().nullable(),
  preview: z.string().nullable().describe("start of the text, redacted; null where the text was removed"),
  is_whole: z.boolean().describe("the preview is the whole text"),
  pii_counts: piiCountsSchema.describe("what was redacted in the preview's text, by type"),
});
export type Inspected = z.output<typeof inspectedSchema>;

/** Why somebody decided. Stays after the text is gone: it is no place for what the text says. */
export const decisionSchema = z.strictObject({ note: z.string().max(500).default("") });

export const releaseReplySchema = z.object({
  quarantine_id: z.string(),
  state: z.literal("released"),
  receipt_id: z.string().describe("what becomes of it"),
  token: z.string().describe("names this release in min_token of a search"),
});

export const purgeReplySchema = z.object({
  quarantine_id: z.string(),
  state: z.enum(["released", "purged"]),
  text_removed: z.literal(true),
});
