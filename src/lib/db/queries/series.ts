import type { Statement } from "../sql.ts";
import { MODELS } from "./document-chunks.ts";

/** A line of documents of one user that follow each other in time. */
export interface SeriesName {
  readonly userId: string;
  readonly series: string;
}

/**
 * Makes those who change a series wait for each other until the end of the transaction. Comes before every statement that touches its
 * documents: whoever holds their rows must never wait for this lock.
 */
export function lockSeries(tenantId: string, names: readonly SeriesName[]): Statement {
  return {
    text: `select pg_advisory_xact_lock(k.key) from (
             select distinct hashtextextended(jsonb_build_array('series', $1::text, n.user_id, n.series)::text, 0) as key
             from unnest($2::text[], $3::text[]) as n (user_id, series) order by 1) k`,
    params: [tenantId, names.map((name) => name.userId), names.map((name) => name.series)],
  };
}

/**
 * Ends each document of the series where the first of the later ones begins, with its chunks of all models; the last one has no end. Derived from all documents of the series
 * that are stored, whatever the order in which they came: with this rule the document valid at a time is the last one that had begun by then.
 */
export function settleSeries(tenantId: string, names: readonly SeriesName[]): Statement {
  return {
    text: `with ends as (
             select d.document_uid, min(coalesce(d.occurred_at, d.created_at)) over (
               partition by d.user_id, d.series order by d.series_position, d.version_key
               rows between 1 following and unbounded following) as valid_until
             from documents d join (select distinct n.user_id, n.series from unnest($2::text[], $3::text[]) as n (user_id, series)) n
               on d.user_id = n.user_id and d.series = n.series
             where d.tenant_id = $1
           ), documents_settled as (
             update documents d set valid_until = e.valid_until from ends e
             where d.tenant_id = $1 and d.document_uid = e.document_uid and d.valid_until is distinct from e.valid_until
           )
           update doc_embeddings c set valid_until = e.valid_until from ends e cross join ${MODELS}
           where c.tenant_id = $1 and c.model_id = m.model_id and c.document_uid = e.document_uid
             and c.valid_until is distinct from e.valid_until`,
    params: [tenantId, names.map((name) => name.userId), names.map((name) => name.series)],
  };
}
