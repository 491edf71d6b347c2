import { z } from "zod";

/** Every place that can hold something of a user. A certificate has those that there were when it was made. */
export const ERASURE_PLACES = [
  "documents",
  "chunks",
  "signatures",
  "signature_bands",
  "receipts",
  "quarantine",
  "profiles",
  "sessions",
  "artifacts",
  "artifact_members",
  "scope_counts",
  "lexeme_stats",
  "session_logs",
  "segments",
  "summaries",
  "wal_texts",
  "quarantine_texts",
  "remembered_replies",
  "pack_texts",
  "backup_rows",
  "dictionaries",
] as const;
const placeSchema = z.enum(ERASURE_PLACES);
export type ErasurePlace = z.infer<typeof placeSchema>;

/** Things found, by place. */
export const erasureCountsSchema = z.partialRecord(placeSchema, z.int().min(0));
export type ErasureCounts = z.infer<typeof erasureCountsSchema>;

const keptSchema = z.strictObject({
  what: z.string(),
  count: z.int().min(0),
  why: z.string(),
});
export type Kept = z.infer<typeof keptSchema>;

/**
 * What is left in R2 of an erasure, and the proof that it is done. `sha256` is that of this object as compact JSON without the member itself, in the
 * order in which the members stand.
 */
export const erasureCertificateSchema = z.strictObject({
  version: z.literal(1),
  tenant_id: z.string(),
  user_sha256: z.string().regex(/^[0-9a-f]{64}$/),
  erasure_id: z.string(),
  requested_by: z.string().describe("id of the key"),
  requested_at: z.iso.datetime(),
  finished_at: z.iso.datetime(),
  erased_before: z.string().describe("a ulid: what the user sent before it is gone, whenever it arrives"),
  places: z.partialRecord(
    placeSchema,
    z.strictObject({ before: z.int().min(0), after: z.literal(0).describe("counted anew at the end") }),
  ),
  kept: z.array(keptSchema).describe("what stays, and why"),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type ErasureCertificate = z.infer<typeof erasureCertificateSchema>;

/** Reply while there is more to erase than one request may. */
export const erasureProgressSchema = z.object({
  done: z.literal(false),
  erasure_id: z.string(),
  step: z.string(),
  round: z.int().describe("over 1: something came while the erasure counted, and it goes through all places again"),
  found: erasureCountsSchema,
});
export type ErasureProgress = z.infer<typeof erasureProgressSchema>;

export const erasureListSchema = z.object({
  user_id: z.string(),
  running: z.boolean().describe("an erasure was begun and is not done: ask for it again"),
  certificates: z.array(erasureCertificateSchema).describe("oldest first"),
});
