import { z } from "zod";
import { LIMITS } from "../base/limits.ts";
import { identifierSchema, userIdSchema } from "./scope.ts";

/** One conversation. Its events are the documents `<session_id>/<seq>`. */
export const sessionIdSchema = identifierSchema.max(LIMITS.sessionIdCharactersMax);

/** Body of `POST /v1/sessions`. */
export const openRequestSchema = z.strictObject({
  session_id: sessionIdSchema.optional().describe("made by the service where left out; the same again goes on with it"),
  user_id: userIdSchema.optional().describe("whose session; left out, the key's user or shared by the tenant"),
  source: identifierSchema.default("session").describe("source of its events"),
  wait: z.boolean().default(false).describe("where there is no room: wait in line for it"),
});

/** The session is open, and whoever has the token may send it events. */
export const openedReplySchema = z.object({
  session_id: z.string(),
  user_id: z.string().describe("'' for a session shared by the tenant"),
  write_token: z.string().describe("bearer credential for the events of this session and nothing else"),
  token_expires_at: z.iso.datetime(),
  lease_expires_at: z.iso.datetime().describe("renewed while events come"),
  next_seq: z.int().min(1).describe("seq of the next event"),
});
export type OpenedReply = z.infer<typeof openedReplySchema>;

/** The session waits. Asking again with the same session_id keeps its place and gets the session when it is its turn. */
export const waitingReplySchema = z.object({
  session_id: z.string(),
  ticket: z.int().describe("number of the place: it stays the same"),
  position: z.int().min(1).describe("counted from 1 over all that wait"),
  retry_after_seconds: z.int().min(1),
});
