import { z } from "zod";
import { batchTagSchema, identifierSchema, originSchema, tenantIdSchema, traceIdSchema } from "./scope.ts";

/** Work of the `embed` queue: one range of one WAL object. A pointer, never text; under 4 KB. */
export const embedMessageSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal("wal_range"),
  tenant_id: tenantIdSchema,
  wal_id: z.ulid(),
  wal_key: z.string().max(1024),
  batch_tag: batchTagSchema,
  range_index: z.int().min(0),
  range_count: z.int().min(1),
  document_start: z.int().min(0),
  document_count: z.int().min(1),
  request_id: z.string().max(100),
  trace_id: traceIdSchema.optional(),
  origin: originSchema.optional(),
  sent_at_ms: z.number(),
});
export type EmbedMessage = z.infer<typeof embedMessageSchema>;

/** Work of the `seal` queue: one segment that lies in R2 whole. A pointer and what registering it needs, never text; under 4 KB. */
export const sealMessageSchema = z.strictObject({
  version: z.literal(1),
  kind: z.literal("segment"),
  tenant_id: tenantIdSchema,
  /** '' for a session shared by the tenant. */
  user_id: z.string().max(200),
  session_id: identifierSchema,
  source: z.string().max(200),
  object_key: z.string().max(1024),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  size_bytes: z.int().min(1),
  first_seq: z.int().min(1),
  last_seq: z.int().min(1),
  /** Events in the segment; fewer than its seqs where some were refused. */
  event_count: z.int().min(0),
  /** Times of its earliest and latest event, null in a segment without events. */
  first_at_ms: z.int().nullable(),
  last_at_ms: z.int().nullable(),
  created_at_ms: z.int().min(0),
  gate_version: z.string().max(100),
  pii_version: z.string().max(100),
  policy_version: z.int().min(0),
  request_id: z.string().max(100),
  sent_at_ms: z.number(),
});
export type SealMessage = z.infer<typeof sealMessageSchema>;
