import { z } from "zod";

/** Reply of `DELETE /v1/sessions/{id}`. */
export const eraseSessionReplySchema = z.object({
  session_id: z.string(),
  user_id: z.string(),
  done: z.boolean().describe("false: there is more to erase than one request may; ask again"),
  event_count: z.int().describe("events whose documents stay deleted, also those that were still on their way"),
  document_count: z.int().describe("documents that were in the store: events, summaries, descriptions"),
  deleted_chunk_count: z.int(),
  segment_count: z.int(),
  held_text_count: z.int().describe("texts of quarantined events that were removed"),
});
export type EraseSessionReply = z.infer<typeof eraseSessionReplySchema>;
