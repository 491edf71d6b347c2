import { z } from "zod";
import { LIMITS } from "../base/limits.ts";
import { metadataSchema } from "./document.ts";
import { identifierSchema } from "./scope.ts";
import { reasonSchema } from "./verdict.ts";

/** Who speaks in a message. */
export const ROLES = ["user", "assistant", "system", "tool"] as const;

/**
 * One message of a session as it travels in a frame. `seq` counts 1, 2, 3 … within the session and is given by the client: sending a frame again is
 * harmless. Whether the text may be stored is the gate's business.
 */
export const frameSchema = z.strictObject({
  seq: z.int().min(1),
  at_ms: z.int().min(LIMITS.occurredAtMsMin),
  role: z.enum(ROLES),
  speaker: identifierSchema.optional(),
  text: z.string(),
  metadata: metadataSchema
    .refine(
      (metadata) => Object.keys(metadata).length <= LIMITS.frameMetadataKeysMax,
      `at most ${LIMITS.frameMetadataKeysMax} keys`,
    )
    .optional(),
});
export type Frame = z.infer<typeof frameSchema>;

/** Why one frame of a body was not taken. The others of the body are looked at for themselves. */
export const FRAME_REFUSALS = [
  "frame_malformed",
  "frame_too_large",
  "frame_truncated",
  "too_many_frames",
  "user_mismatch",
  "seq_gap",
  "seq_conflict",
] as const;
export const frameRefusalSchema = z.enum(FRAME_REFUSALS);
export type FrameRefusal = z.infer<typeof frameRefusalSchema>;

/** What became of one frame. */
export const frameReplySchema = z.object({
  seq: z.int().nullable().describe("null where it could not be read"),
  status: z.enum(["appended", "repeated", "quarantined", "rejected", "refused"]),
  code: frameRefusalSchema.optional().describe("of a refused frame"),
  detail: z.string().optional(),
  expected_seq: z.int().optional().describe("of a gap or a conflict: the seq that comes next"),
  reasons: z.array(reasonSchema).optional().describe("of a frame that the gate kept back; it has its seq all the same"),
});
export type FrameReply = z.infer<typeof frameReplySchema>;

/** Reply of `POST /v1/sessions/{id}/frames` and of each WebSocket message. */
export const framesReplySchema = z.object({
  ack: z.int().min(0).describe("every event up to this seq is durable"),
  token: z.ulid().nullable().describe("min_token of a search that is to see these events"),
  frames: z.array(frameReplySchema),
});
export type FramesReply = z.infer<typeof framesReplySchema>;

/** Reply of `GET /v1/sessions/{id}`. */
export const sessionReplySchema = z.object({
  session_id: z.string(),
  user_id: z.string().describe("'' for a session shared by the tenant"),
  source: z.string(),
  state: z.enum(["open", "sealing", "closed"]),
  opened_at: z.iso.datetime(),
  last_event_at: z.iso.datetime().nullable(),
  lease_expires_at: z.iso.datetime(),
  seqs: z.object({
    received: z.int().describe("highest seq that a frame carried, even a refused one"),
    durable: z.int().describe("acknowledged"),
    queued: z.int().describe("in a WAL object and sent"),
    embedded: z.int().describe("applied to the store"),
    sealed: z.int().describe("in a segment"),
  }),
  refused_count: z.int(),
  segments: z.array(
    z.object({
      artifact_id: z.string(),
      first_seq: z.int(),
      last_seq: z.int(),
      event_count: z.int(),
      size_bytes: z.int(),
      created_at: z.iso.datetime(),
      registered: z.boolean(),
    }),
  ),
});
export type SessionReply = z.infer<typeof sessionReplySchema>;
