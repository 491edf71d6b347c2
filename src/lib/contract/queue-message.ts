import { z } from "zod";
import { batchTagSchema, tenantIdSchema } from "./scope.ts";

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
  sent_at_ms: z.number(),
});
export type EmbedMessage = z.infer<typeof embedMessageSchema>;
