import { z } from "zod";
import { LIMITS } from "../base/limits.ts";

/** The five tiers of memory. */
export const TIERS = ["event", "summary", "doc", "profile", "artifact"] as const;
export const tierSchema = z.enum(TIERS);
export type Tier = z.infer<typeof tierSchema>;

/** Owner of API keys and unit of isolation. */
export const tenantIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,47}$/);

/** Tenants of the service itself: nobody gets a key of one. */
export const SYSTEM_TENANT_PREFIX = "jeeves-system-";

// Control characters (NUL cannot be stored in Postgres) and lone surrogates (cannot be stored as UTF-8) are refused.
function isCleanIdentifier(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text) && text.trim() === text;
}

/** An identifier chosen by a client: 1..200 characters, well-formed, no control characters, no blanks at its ends. */
export const identifierSchema = z
  .string()
  .min(1)
  .max(LIMITS.identifierCharactersMax)
  .refine(isCleanIdentifier, "must be well-formed text without control characters or surrounding blanks");

/** An end user inside a tenant. "*" is reserved for the system. */
export const userIdSchema = identifierSchema.refine((userId) => userId !== "*", "is reserved");

/** Id of the W3C trace that a request belongs to. */
export const traceIdSchema = z.string().regex(/^[0-9a-f]{32}$/);

/** What made a WAL object, where it was not a client's request for documents. Its batch has no end: it gets no marker, no report and no comparison. */
export const originSchema = z.enum(["session", "profile"]);

/** Tags of such batches: clients cannot use them. */
const RESERVED_BATCH_TAG = /^(session|profile)-[0-9a-f]{24}$/;

/** Whether a tag names a batch that the system makes by itself. */
export function isReservedBatchTag(batchTag: string): boolean {
  return RESERVED_BATCH_TAG.test(batchTag);
}

/** Groups requests into one batch. Chosen by the client, or the WAL id of the request. */
export const batchTagSchema = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
