import { z } from "zod";
import { outcomeSchema, reasonSchema } from "./verdict.ts";

/** What the store holds now of the document behind a receipt. */
export const receiptProofSchema = z.object({
  holds: z.boolean().describe("the store agrees with what the receipt says"),
  present: z.boolean(),
  superseded: z.boolean().describe("a later version replaced this one, or it was deleted"),
  chunk_count: z.int(),
  stale_chunk_count: z.int().describe("chunks of former generations: never more than 0"),
});
export type ReceiptProof = z.infer<typeof receiptProofSchema>;

/** Reply of `GET /v1/receipts/{id}`: what became of one input. */
export const receiptSchema = z.object({
  id: z.string(),
  batch_tag: z.string(),
  document_id: z.string(),
  user_id: z.string().nullable(),
  outcome: outcomeSchema.nullable().describe("null while the input is on its way"),
  state: z.enum(["queued", "ended"]),
  reasons: z.array(reasonSchema),
  tier: z.string().nullable(),
  chunk_count: z.int(),
  chunk_reused_count: z.int(),
  chunk_failed_count: z.int(),
  token_count: z.int(),
  content_sha256: z.string().nullable(),
  fingerprint: z.string().nullable(),
  applied_at: z.iso.datetime().nullable(),
  proof: receiptProofSchema.optional(),
});
export type Receipt = z.infer<typeof receiptSchema>;
