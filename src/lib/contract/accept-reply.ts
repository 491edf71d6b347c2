import { z } from "zod";
import { inputVerdictSchema, reasonSchema } from "./verdict.ts";

/** What the edge says of one input. The id leads to what became of it later. */
export const acceptedReceiptSchema = z.strictObject({
  id: z.string(),
  index: z.int().min(0),
  document_id: z.string(),
  status: inputVerdictSchema,
  reasons: z.array(reasonSchema),
});

/** Reply to an accepted ingest request. `token` names this request in `min_token` of a search. */
export const acceptReplySchema = z.strictObject({
  batch_tag: z.string(),
  token: z.string(),
  accepted: z.int(),
  duplicate: z.int().default(0),
  quarantined: z.int(),
  rejected: z.int(),
  receipts: z.array(acceptedReceiptSchema),
});
export type AcceptReply = z.infer<typeof acceptReplySchema>;

/** Reply to `?dry_run=1`: the same verdicts, and what indexing would make of the texts. `null` where no model is active. */
export const dryRunReplySchema = z.strictObject({
  dry_run: z.literal(true),
  fingerprint: z.string().nullable(),
  accepted: z.int(),
  duplicate: z.int(),
  quarantined: z.int(),
  rejected: z.int(),
  chunk_count: z.int().nullable(),
  token_count: z.int().nullable(),
  documents: z.array(
    z.strictObject({
      index: z.int().min(0),
      document_id: z.string(),
      status: inputVerdictSchema,
      reasons: z.array(reasonSchema),
      chunk_count: z.int().nullable(),
      token_count: z.int().nullable(),
    }),
  ),
});
export type DryRunReply = z.infer<typeof dryRunReplySchema>;
