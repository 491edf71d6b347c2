import { z } from "zod";
import { batchTagSchema, identifierSchema, tenantIdSchema, tierSchema } from "./scope.ts";
import { metadataSchema } from "./document.ts";
import { reasonSchema, verdictSchema } from "./verdict.ts";

/**
 * One input inside a WAL object. `text` is there unless the input was rejected: what is rejected is never stored.
 * `document_index` is the position in the request and, with the WAL id, makes the receipt id.
 */
export const walDocumentSchema = z.strictObject({
  document_index: z.int().min(0),
  document_id: z.string().max(200),
  user_id: z.string().max(200),
  tier: tierSchema,
  source: z.string(),
  title: z.string(),
  metadata: metadataSchema,
  occurred_at_ms: z.number().nullable(),
  text: z.string().nullable(),
  verdict: verdictSchema,
  reasons: z.array(reasonSchema),
});
export type WalDocument = z.infer<typeof walDocumentSchema>;

/** The content of one WAL object: one request's inputs, in order, with their verdicts. */
export const walRecordSchema = z.strictObject({
  version: z.literal(1),
  tenant_id: tenantIdSchema,
  wal_id: z.ulid(),
  batch_tag: batchTagSchema,
  received_at_ms: z.number(),
  request_id: identifierSchema,
  gate_version: z.string(),
  documents: z.array(walDocumentSchema),
});
export type WalRecord = z.infer<typeof walRecordSchema>;
