import { z } from "zod";
import type { Statement } from "../sql.ts";

/** What is kept of a stored text so that its duplicates are found. `signature` and `normalisedHash` are hexadecimal. */
export interface SignatureRow {
  readonly documentUid: string;
  readonly versionKey: string;
  readonly speaker: string;
  readonly sketchVersion: number;
  readonly normalisedHash: string;
  readonly signature: string;
  readonly bands: readonly number[];
}

/** Forgets the texts of those documents whose version this transaction wrote: what lost to a later version must not take its signature. */
export function deleteSignatures(
  tenantId: string,
  rows: readonly { readonly documentUid: string; readonly versionKey: string }[],
): Statement[] {
  const params = [tenantId, rows.map((row) => row.documentUid), rows.map((row) => row.versionKey)];
  const written = `select d.document_uid from documents d
    join unnest($2::uuid[], $3::text[]) as r (document_uid, version_key) using (document_uid, version_key) where d.tenant_id = $1`;
  return [
    { text: `delete from signature_bands where tenant_id = $1 and document_uid in (${written})`, params },
    { text: `delete from document_signatures where tenant_id = $1 and document_uid in (${written})`, params },
  ];
}

/** Remembers the texts of those documents whose version this transaction wrote. */
export function insertSignatures(tenantId: string, rows: readonly SignatureRow[]): Statement[] {
  const bands = rows.flatMap((row) => row.bands.map((band) => ({ documentUid: row.documentUid, band })));
  return [
    {
      text: `insert into document_signatures (tenant_id, document_uid, user_id, tier, occurred_at, speaker, sketch_version, normalised_hash,
               signature)
             select d.tenant_id, d.document_uid, d.user_id, d.tier, d.occurred_at, s.speaker, s.sketch_version,
               decode(s.normalised_hash, 'hex'), decode(s.signature, 'hex')
             from unnest($2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[], $7::text[])
               as s (document_uid, version_key, speaker, sketch_version, normalised_hash, signature)
             join documents d on d.tenant_id = $1 and d.document_uid = s.document_uid and d.version_key = s.version_key`,
      params: [
        tenantId,
        rows.map((row) => row.documentUid),
        rows.map((row) => row.versionKey),
        rows.map((row) => row.speaker),
        rows.map((row) => row.sketchVersion),
        rows.map((row) => row.normalisedHash),
        rows.map((row) => row.signature),
      ],
    },
    {
      text: `insert into signature_bands (tenant_id, band, document_uid, user_id)
             select s.tenant_id, b.band, s.document_uid, s.user_id
             from unnest($2::uuid[], $3::bigint[]) as b (document_uid, band)
             join document_signatures s on s.tenant_id = $1 and s.document_uid = b.document_uid
             on conflict do nothing`,
      params: [tenantId, bands.map((row) => row.documentUid), bands.map((row) => row.band)],
    },
  ];
}

/** A text that may be stored already. */
export interface DuplicateProbe {
  readonly documentUid: string;
  readonly userId: string;
  readonly tier: string;
  readonly normalisedHash: string;
  /** Texts at other times are no duplicates: only those within a minute are looked at. Null: time does not matter. */
  readonly occurredAt: string | null;
  /** Empty: only an equal text is looked for. */
  readonly bands: readonly number[];
}

export interface ProbeLimits {
  readonly sketchVersion: number;
  /** Documents of one band that are looked at: a refrain of ten thousand messages must not cost its square. */
  readonly bandRowsMax: number;
  /** Candidates of one probe. */
  readonly candidatesMax: number;
}

/**
 * Stored documents that may hold a probe's text: equal after normalisation, or with bands in common, most first. Same user and tier;
 * never the document itself. Speaker and time are the caller's to compare.
 */
export function selectDuplicateCandidates(
  tenantId: string,
  probes: readonly DuplicateProbe[],
  limits: ProbeLimits,
): Statement {
  const bands = probes.flatMap((probe, index) => probe.bands.map((band) => ({ index, band })));
  return {
    text: `with probes as (
             select * from unnest($2::int[], $3::uuid[], $4::text[], $5::text[], $6::text[], $12::timestamptz[])
               as p (probe, own_uid, user_id, tier, hash, occurred_at)
           ), exact as (
             select p.probe, s.document_uid, 1000 as weight from probes p cross join lateral (
               select document_uid from document_signatures s where s.tenant_id = $1 and s.normalised_hash = decode(p.hash, 'hex')
                 and s.user_id = p.user_id and s.tier = p.tier and s.document_uid <> p.own_uid
                 and (p.occurred_at is null or s.occurred_at between p.occurred_at - interval '1 minute' and p.occurred_at + interval '1 minute')
               order by s.document_uid desc limit $11::int) s
           ), near as (
             select b.probe, f.document_uid, count(*)::int as weight
             from unnest($7::int[], $8::bigint[]) as b (probe, band) cross join lateral (
               select document_uid from signature_bands k where k.tenant_id = $1 and k.band = b.band limit $10::int) f
             group by b.probe, f.document_uid
           ), candidates as (
             select probe, document_uid, sum(weight) as weight from (select * from exact union all select * from near) c group by 1, 2
           ), ranked as (
             select c.probe, s.*, row_number() over (partition by c.probe order by c.weight desc, s.document_uid) as place
             from candidates c join probes p using (probe)
             join document_signatures s on s.tenant_id = $1 and s.document_uid = c.document_uid and s.user_id = p.user_id
               and s.tier = p.tier and s.document_uid <> p.own_uid and s.sketch_version = $9::int
           )
           select r.probe, r.document_uid, r.speaker, (extract(epoch from r.occurred_at) * 1000)::float8 as occurred_at_ms,
             encode(r.normalised_hash, 'hex') as normalised_hash, encode(r.signature, 'hex') as signature, d.document_id,
             d.character_count
           from ranked r join documents d on d.tenant_id = $1 and d.document_uid = r.document_uid
           where r.place <= $11::int and d.deleted_at is null order by r.probe, r.place`,
    params: [
      tenantId,
      probes.map((_, index) => index),
      probes.map((probe) => probe.documentUid),
      probes.map((probe) => probe.userId),
      probes.map((probe) => probe.tier),
      probes.map((probe) => probe.normalisedHash),
      bands.map((row) => row.index),
      bands.map((row) => row.band),
      limits.sketchVersion,
      limits.bandRowsMax,
      limits.candidatesMax,
      probes.map((probe) => probe.occurredAt),
    ],
  };
}

export const duplicateCandidateRowSchema = z.object({
  probe: z.int(),
  document_uid: z.string(),
  speaker: z.string(),
  occurred_at_ms: z.number().nullable(),
  normalised_hash: z.string(),
  signature: z.string(),
  document_id: z.string(),
  character_count: z.int(),
});
export type DuplicateCandidateRow = z.infer<typeof duplicateCandidateRowSchema>;

/** The chunks that documents are made of now, in order. */
export function selectDocumentChunks(tenantId: string, documentUids: readonly string[]): Statement {
  return {
    text: `select e.document_uid, e.start_offset, e.end_offset, e.text from documents d
           join doc_embeddings e on e.tenant_id = d.tenant_id and e.model_id = d.model_id and e.document_uid = d.document_uid
             and e.generation = d.generation
           where d.tenant_id = $1 and d.document_uid = any($2::uuid[]) order by e.document_uid, e.start_offset, e.chunk_index`,
    params: [tenantId, documentUids],
  };
}

export const documentChunkRowSchema = z.object({
  document_uid: z.string(),
  start_offset: z.int(),
  end_offset: z.int(),
  text: z.string(),
});

/**
 * Documents that were left out as duplicates of a text that is not stored any more, as long ago as `settledMs` at least, in order of
 * their ids.
 */
export function selectOrphanedDuplicates(
  tenantId: string,
  page: { readonly afterUid: string; readonly settledMs: number; readonly rowsMax: number },
): Statement {
  return {
    text: `select d.document_uid, d.version_key, d.wal_key, d.document_index from documents d
           where d.tenant_id = $1 and d.duplicate_of is not null and d.deleted_at is null
             and ($2 = '' or d.document_uid > nullif($2, '')::uuid) and d.updated_at < now() - make_interval(secs => $3::float8 / 1000)
             and not exists (select 1 from document_signatures s where s.tenant_id = d.tenant_id and s.document_uid = d.duplicate_of
               and s.normalised_hash = d.duplicate_hash)
           order by d.document_uid limit $4::int`,
    params: [tenantId, page.afterUid, page.settledMs, page.rowsMax],
  };
}

export const orphanedDuplicateRowSchema = z.object({
  document_uid: z.string(),
  version_key: z.string(),
  wal_key: z.string(),
  document_index: z.int(),
});
