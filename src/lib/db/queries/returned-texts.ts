import { z } from "zod";
import type { Statement } from "../sql.ts";

/** A passage of an input that may be a stored text. */
export interface PassageProbe {
  readonly documentUid: string;
  readonly userId: string;
  readonly normalisedHash: string;
  /** `hashPrefix` of it. */
  readonly textHash: number;
  /** False: a text that stands by itself may be said again, so that events are no originals of it. */
  readonly mayBeEvent: boolean;
}

/** Chunks of equal text that are looked at for one whose document is an original. */
const EQUAL_CHUNKS_MAX = 16;

// Each limit below also makes Postgres begin with the passages. Without it, in tables that have no statistics yet, it began with all documents
// of the tenant: 10 s for a passage among 6,000. Without statistics it may still take an index of the tenant for that of the hash (a few ms).

/** Parameters of both look-ups: the tenant, then a column each of the table `p`, whose fourth holds what the passages are found by. */
function probeParams(
  tenantId: string,
  probes: readonly PassageProbe[],
  keys: readonly (string | number)[],
): Statement["params"] {
  return [
    tenantId,
    probes.map((_, index) => index),
    probes.map((probe) => probe.documentUid),
    probes.map((probe) => probe.userId),
    keys,
    probes.map((probe) => probe.mayBeEvent),
  ];
}

/** Whole texts that a user can be shown and that are equal to a passage after normalisation, one a passage. Never the input's own document. */
export function selectReturnedDocuments(tenantId: string, probes: readonly PassageProbe[]): Statement {
  return {
    text: `select p.probe, s.document_uid, d.document_id, encode(s.normalised_hash, 'hex') as normalised_hash, d.character_count
           from unnest($2::int[], $3::uuid[], $4::text[], $5::text[], $6::boolean[]) as p (probe, own_uid, user_id, hash, may_be_event)
           cross join lateral (
             select document_uid, normalised_hash from document_signatures where tenant_id = $1
               and normalised_hash = decode(p.hash, 'hex') and user_id in ('', p.user_id) and document_uid <> p.own_uid
               and (p.may_be_event or tier <> 'event') limit 1) s
           cross join lateral (
             select document_id, character_count from documents where tenant_id = $1 and document_uid = s.document_uid limit 1) d
           order by p.probe`,
    params: probeParams(
      tenantId,
      probes,
      probes.map((probe) => probe.normalisedHash),
    ),
  };
}

export const returnedDocumentRowSchema = z.object({
  probe: z.int(),
  document_uid: z.string(),
  document_id: z.string(),
  normalised_hash: z.string(),
  character_count: z.int(),
});

/**
 * The same for chunks: any one whose text has a passage's hash. `normalised_hash` is that of its whole document, by which a link to it is
 * kept: a document that is no original of duplicates is none here either.
 */
export function selectReturnedChunks(tenantId: string, probes: readonly PassageProbe[]): Statement {
  return {
    text: `select p.probe, c.document_uid, c.document_id, encode(c.normalised_hash, 'hex') as normalised_hash, c.text
           from unnest($2::int[], $3::uuid[], $4::text[], $5::bigint[], $6::boolean[])
             as p (probe, own_uid, user_id, text_hash, may_be_event)
           cross join lateral (
             select e.document_uid, e.text, d.document_id, s.normalised_hash from (
               select document_uid, generation, text from doc_embeddings where tenant_id = $1 and text_hash = p.text_hash
                 and model_id = (select model_id from embedding_models where state = 'active')
                 and user_id in ('', p.user_id) and document_uid <> p.own_uid and (p.may_be_event or tier <> 'event')
               limit ${EQUAL_CHUNKS_MAX}) e
             cross join lateral (
               select document_id, generation from documents where tenant_id = $1 and document_uid = e.document_uid limit 1) d
             cross join lateral (
               select normalised_hash from document_signatures where tenant_id = $1 and document_uid = e.document_uid limit 1) s
             where d.generation = e.generation
             limit 1) c
           order by p.probe`,
    params: probeParams(
      tenantId,
      probes,
      probes.map((probe) => probe.textHash),
    ),
  };
}

export const returnedChunkRowSchema = z.object({
  probe: z.int(),
  document_uid: z.string(),
  document_id: z.string(),
  normalised_hash: z.string(),
  text: z.string(),
});
