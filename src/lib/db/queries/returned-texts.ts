import { z } from "zod";
import type { Statement } from "../sql.ts";

/** A passage of an input that may be a stored text. */
export interface PassageProbe {
  readonly documentUid: string;
  readonly userId: string;
  readonly normalisedHash: string;
  /** False: a text that stands by itself may be said again, so that events are no originals of it. */
  readonly mayBeEvent: boolean;
}

/** Stored texts that a user can be shown and that are equal to a passage after normalisation, one a passage. */
export function selectReturnable(tenantId: string, probes: readonly PassageProbe[]): Statement {
  return {
    text: `select p.probe, s.document_uid, d.document_id, encode(s.normalised_hash, 'hex') as normalised_hash, d.character_count
           from unnest($2::int[], $3::uuid[], $4::text[], $5::text[], $6::boolean[]) as p (probe, own_uid, user_id, hash, may_be_event)
           cross join lateral (
             select document_uid, normalised_hash from document_signatures s where s.tenant_id = $1
               and s.normalised_hash = decode(p.hash, 'hex') and s.user_id in ('', p.user_id) and s.document_uid <> p.own_uid
               and (p.may_be_event or s.tier <> 'event')
             order by s.document_uid limit 1) s
           join documents d on d.tenant_id = $1 and d.document_uid = s.document_uid and d.deleted_at is null order by p.probe`,
    params: [
      tenantId,
      probes.map((_, index) => index),
      probes.map((probe) => probe.documentUid),
      probes.map((probe) => probe.userId),
      probes.map((probe) => probe.normalisedHash),
      probes.map((probe) => probe.mayBeEvent),
    ],
  };
}

export const returnableRowSchema = z.object({
  probe: z.int(),
  document_uid: z.string(),
  document_id: z.string(),
  normalised_hash: z.string(),
  character_count: z.int(),
});
