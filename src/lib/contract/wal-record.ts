import { z } from "zod";
import { LIMITS } from "../base/limits.ts";
import { batchTagSchema, identifierSchema, originSchema, tenantIdSchema, tierSchema, traceIdSchema } from "./scope.ts";
import { metadataSchema } from "./document.ts";
import { PII_TYPES } from "./pii.ts";
import { inputVerdictSchema, reasonSchema } from "./verdict.ts";

/** Counts of personal data by type, as found before redaction. */
export const piiCountsSchema = z.partialRecord(z.enum(PII_TYPES), z.int().min(0));
export type PiiCounts = z.infer<typeof piiCountsSchema>;

/** What curation found of an input, as far as it is not the default. Kept for rejected inputs too: there is no text in it. */
export const curationSchema = z.strictObject({
  language: z.string().max(8).optional().describe("ISO 639-1 code, absent where it could not be told"),
  character_count: z.int().min(0).optional(),
  relaxed_step: z.int().min(0).optional().describe("step of relaxation that let the input in"),
  pii_counts: piiCountsSchema.optional(),
  /** Where the text of a quarantined input lies in the quarantine object of its request, and how large it is. */
  held: z.strictObject({ range_index: z.int().min(0), size_bytes: z.int().min(0) }).optional(),
  /** The input of the same request, user and tier that holds this one's text already, and the normalised hash of that text. */
  duplicate_of: z.strictObject({ document_id: z.string().max(200), normalised_hash: z.string().length(64) }).optional(),
  /** An input that was accepted before and comes again by a decision of ours: it keeps its place among the versions of its document. */
  reentry: z
    .strictObject({
      cause: z.enum(["released", "rescanned", "original_gone", "repaired"]),
      version_key: z.string().max(64),
    })
    .optional(),
});

export type Curation = z.infer<typeof curationSchema>;

/**
 * One input inside a WAL object. `text` is there unless the input was rejected or quarantined: what is rejected is never stored, and what
 * is quarantined lies in the quarantine object alone. `document_index` is the position in the request and, with the WAL id, makes the
 * receipt id.
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
  /** Of an event: what was said before it, "Speaker: text" lines, newest last. Found and embedded with the text, never shown as part of it. */
  context: z.string().max(LIMITS.contextCharactersMax).optional(),
  /** Name of the line of documents in which this one follows in time: the one before it was valid until now. */
  series: z.string().max(LIMITS.seriesCharactersMax).optional(),
  /** Place in the series; documents without one, and those of one place, follow each other as they came. */
  series_position: z.int().min(0).optional(),
  verdict: inputVerdictSchema,
  reasons: z.array(reasonSchema),
  curation: curationSchema.optional(),
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
  trace_id: traceIdSchema.optional(),
  gate_version: z.string(),
  pii_version: z.string().optional(),
  policy_version: z.int().min(0).optional(),
  /** How far the tenant wanted duplicates of stored texts to be looked for; absent: not at all. */
  duplicates: z.enum(["exact", "near"]).optional(),
  origin: originSchema.optional(),
  documents: z.array(walDocumentSchema),
});
export type WalRecord = z.infer<typeof walRecordSchema>;
