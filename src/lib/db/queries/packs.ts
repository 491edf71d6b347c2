/** Packs and what is in them: the documents that no pack holds, packs as artifacts, and members by the version that they are. */
import { z } from "zod";
import type { Statement } from "../sql.ts";
import { chunksOf, isChunk } from "./document-chunks.ts";
import { holdErasures, isErasedSql } from "./user-erasures.ts";

/** SQL: whether a row of artifact_members is the version of a document that stands in its row. */
const isVersionOf = (member: string, document: string): string =>
  `${member}.tenant_id = ${document}.tenant_id and ${member}.document_uid = ${document}.document_uid
     and ${member}.wal_id = ${document}.wal_id and ${member}.document_index = ${document}.document_index`;

/** SQL: documents that hold and are in no pack. Members of segments name no WAL object, so that they are none of these. */
const UNPACKED = `d.deleted_at is null and not exists (select 1 from artifact_members m where ${isVersionOf("m", "d")})`;

/**
 * How far WAL objects are applied, and how much of each is in no pack yet. Names of quarantined inputs are put together in an array of the collation that
 * their index has: compared with an expression, or in another collation, they would be looked for among all of the tenant.
 */
export function selectWalStates(tenantId: string, walIds: readonly string[]): Statement {
  const counted = (from: string): string => `(select count(*)::int from ${from})`;
  const ledger = (state: string): string =>
    counted(`wal_ledger l where l.tenant_id = $1 and l.wal_id = w.wal_id and l.state = '${state}'`);
  return {
    text: `select w.wal_id, ${ledger("applied")} as applied_count, ${ledger("dead")} as dead_count,
             ${counted(`quarantine q where q.tenant_id = $1 and q.state in ('held', 'releasing') and q.quarantine_id = any(array(
               select (r.wal_id || '-' || r.document_index) collate "default" from receipts r
               where r.tenant_id = $1 and r.wal_id = w.wal_id and r.outcome = 'quarantined'))`)} as undecided_count,
             u.unpacked_count, u.unpacked_characters
           from unnest($2::text[]) as w (wal_id) cross join lateral (
             select count(*)::int as unpacked_count, coalesce(sum(d.character_count), 0)::int as unpacked_characters from documents d
             where d.tenant_id = $1 and d.wal_id = w.wal_id and ${UNPACKED}) u`,
    params: [tenantId, walIds],
  };
}

export const walStateRowSchema = z.object({
  wal_id: z.string(),
  applied_count: z.int(),
  dead_count: z.int(),
  undecided_count: z.int(),
  unpacked_count: z.int(),
  /** UTF-16 units of their texts. */
  unpacked_characters: z.int(),
});
export type WalState = z.infer<typeof walStateRowSchema>;

/** SQL: a time as microseconds since 1970, as Postgres keeps it. */
const microseconds = (table: string, column: string): string =>
  `(extract(epoch from ${table}.${column}) * 1000000)::bigint as ${column}_us`;

/** Documents of WAL objects that hold and are in no pack. */
export function selectUnpackedDocuments(tenantId: string, walIds: readonly string[]): Statement {
  const times = ["occurred_at", "valid_until", "created_at", "updated_at"].map((column) => microseconds("d", column));
  return {
    text: `select d.document_uid, d.user_id, d.document_id, d.tier, d.source, d.title, d.metadata, encode(d.content_hash, 'hex') as content_hash,
             m.fingerprint, d.generation, d.version_key, d.batch_tag, d.wal_key, d.wal_id, d.document_index, d.chunk_count, d.token_count,
             d.character_count, ${times.join(", ")}, d.pii_version, d.duplicate_of, encode(d.duplicate_hash, 'hex') as duplicate_hash,
             d.series, d.series_position
           from documents d join embedding_models m on m.model_id = d.model_id
           where d.tenant_id = $1 and d.wal_id = any($2::text[]) and ${UNPACKED}
           order by d.wal_id, d.document_index`,
    params: [tenantId, walIds],
  };
}

const bigintSchema = z.coerce.number().int();
export const packedDocumentRowSchema = z.object({
  document_uid: z.string(),
  user_id: z.string(),
  document_id: z.string(),
  tier: z.string(),
  source: z.string(),
  title: z.string(),
  metadata: z.record(z.string(), z.unknown()),
  content_hash: z.string(),
  fingerprint: z.string(),
  generation: bigintSchema,
  version_key: z.string(),
  batch_tag: z.string(),
  wal_key: z.string(),
  wal_id: z.string(),
  document_index: z.int(),
  chunk_count: z.int(),
  token_count: z.int(),
  character_count: z.int(),
  occurred_at_us: bigintSchema.nullable(),
  valid_until_us: bigintSchema.nullable(),
  created_at_us: bigintSchema,
  updated_at_us: bigintSchema,
  pii_version: z.string(),
  duplicate_of: z.string().nullable(),
  duplicate_hash: z.string().nullable(),
  series: z.string().nullable(),
  series_position: bigintSchema,
});
export type PackedDocumentRow = z.infer<typeof packedDocumentRowSchema>;

/** Chunks of documents under the model and the generation that each document's row names, in order. */
export function selectPackedChunks(tenantId: string, documentUids: readonly string[]): Statement {
  const times = ["occurred_at", "valid_until", "created_at"].map((column) => microseconds("e", column));
  return {
    text: `with named as materialized (select distinct u.document_uid from unnest($2::uuid[]) as u (document_uid)), ${chunksOf("named")}
           select e.document_uid, e.chunk_index, e.generation, e.user_id, e.tier, e.source, e.batch_tag, encode(e.chunk_hash, 'hex') as chunk_hash,
             e.text, e.start_offset, e.end_offset, e.token_count, e.lexeme_count, e.text_hash, e.artifact_id, ${times.join(", ")}, e.pii_version
           from chunks c join documents d on d.tenant_id = $1 and d.document_uid = c.document_uid
             join doc_embeddings e on e.tenant_id = $1 and ${isChunk("e", "c")}
           where c.model_id = d.model_id and c.generation = d.generation
           order by e.document_uid, e.chunk_index`,
    params: [tenantId, documentUids],
  };
}

export const packedChunkRowSchema = z.object({
  document_uid: z.string(),
  chunk_index: z.int(),
  generation: bigintSchema,
  user_id: z.string(),
  tier: z.string(),
  source: z.string(),
  batch_tag: z.string(),
  chunk_hash: z.string(),
  text: z.string(),
  start_offset: z.int(),
  end_offset: z.int(),
  token_count: z.int(),
  lexeme_count: z.int(),
  text_hash: bigintSchema.nullable(),
  artifact_id: z.string().nullable(),
  occurred_at_us: bigintSchema.nullable(),
  valid_until_us: bigintSchema.nullable(),
  created_at_us: bigintSchema,
  pii_version: z.string(),
});
export type PackedChunkRow = z.infer<typeof packedChunkRowSchema>;

/** A pack as the store registers it. */
export interface PackRow {
  readonly artifactId: string;
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly sha256Hex: string;
  readonly recordCount: number;
  readonly dictionaryId: string | null;
  /** Of the model whose vectors it holds. */
  readonly fingerprint: string | null;
}

export interface PackMember {
  readonly position: number;
  readonly userId: string;
  readonly documentUid: string;
  readonly walId: string;
  readonly documentIndex: number;
  readonly versionKey: string;
}

export const PACK_MEDIA_TYPE = "application/vnd.jeeves.pack";

/** One at a time registers packs of a tenant, so that no version of a document comes into two of them. */
export function lockPacks(tenantId: string): Statement {
  return {
    text: "select pg_advisory_xact_lock(hashtextextended(jsonb_build_array('packs', $1::text)::text, 0))",
    params: [tenantId],
  };
}

const INSERT_PACK = `insert into artifacts (tenant_id, user_id, artifact_id, kind, object_key, media_type, size_bytes, sha256, record_count, dictionary_id, fingerprint)
  select $1, '*', $2, 'pack', $3, '${PACK_MEDIA_TYPE}', $4::bigint, decode($5, 'hex'), $6::bigint, $7, $8`;

/** SQL: the dictionary `$7` of a pack, if it has one, is there to read it with: an erasure may have taken it since. */
const HAS_DICTIONARY = `($7::text is null or exists (
  select 1 from dictionaries d where d.tenant_id = $1 and d.dictionary_id = $7 and d.has_object))`;

function packParams(tenantId: string, pack: PackRow): readonly unknown[] {
  const { artifactId, objectKey, sizeBytes, sha256Hex, recordCount, dictionaryId, fingerprint } = pack;
  return [tenantId, artifactId, objectKey, sizeBytes, sha256Hex, recordCount, dictionaryId, fingerprint];
}

/**
 * Registers a pack with its members, all or nothing: not where a user of one was erased since the member was read, nor where another pack has one by
 * now, nor, where it `mustHold`, with a member that is not the version of its document that holds. The last statement says which: its object is nobody's
 * then.
 */
export function registerPack(
  tenantId: string,
  pack: PackRow,
  { members, mustHold }: { readonly members: readonly PackMember[]; readonly mustHold: boolean },
): readonly Statement[] {
  return [
    holdErasures(
      tenantId,
      members.map(({ userId }) => userId),
    ),
    lockPacks(tenantId),
    {
      text: `with given as materialized (
               select * from unnest($9::bigint[], $10::text[], $11::uuid[], $12::text[], $13::int[], $14::text[])
                 as g (position, user_id, document_uid, wal_id, document_index, version_key)),
             oldest as (select g.user_id, min(g.version_key collate "C") as version_key from given g group by g.user_id),
             erased as (select 1 from oldest o where ${isErasedSql("o.version_key", "o.user_id")}),
             packed as (
               select 1 from given g join artifact_members m on m.tenant_id = $1 and m.document_uid = g.document_uid and m.wal_id = g.wal_id
                 and m.document_index = g.document_index),
             stale as (
               select 1 from given g where $15::boolean and not exists (
                 select 1 from documents d where d.tenant_id = $1 and d.document_uid = g.document_uid and d.wal_id = g.wal_id
                   and d.document_index = g.document_index and d.deleted_at is null)),
             added as (
               ${INSERT_PACK} where ${HAS_DICTIONARY} and not exists (select 1 from erased union all select 1 from packed union all select 1 from stale)
               returning artifact_id),
             members as (
               insert into artifact_members (tenant_id, artifact_id, user_id, position, document_uid, wal_id, document_index)
               select $1, a.artifact_id, g.user_id, g.position, g.document_uid, g.wal_id, g.document_index from given g cross join added a
               returning 1)
             select exists (select 1 from added) as added, exists (select 1 from erased) as erased, (select count(*) from members)::int as member_count`,
      params: [
        ...packParams(tenantId, pack),
        members.map(({ position }) => position),
        members.map(({ userId }) => userId),
        members.map(({ documentUid }) => documentUid),
        members.map(({ walId }) => walId),
        members.map(({ documentIndex }) => documentIndex),
        members.map(({ versionKey }) => versionKey),
        mustHold,
      ],
    },
  ];
}

export const registeredRowSchema = z.object({ added: z.boolean(), erased: z.boolean(), member_count: z.int() });

/**
 * WAL objects that have to be there, so that a pack may go that nobody registered: of its records those that no pack has and that either are the versions
 * that hold, or were never applied as far as the ledger knows.
 */
export function selectUncoveredWal(
  tenantId: string,
  members: readonly Pick<PackMember, "documentUid" | "walId" | "documentIndex">[],
): Statement {
  return {
    text: `select distinct g.wal_id from unnest($2::uuid[], $3::text[], $4::int[]) as g (document_uid, wal_id, document_index)
           where not exists (
               select 1 from artifact_members m where m.tenant_id = $1 and m.document_uid = g.document_uid and m.wal_id = g.wal_id
                 and m.document_index = g.document_index)
             and (not exists (select 1 from wal_ledger l where l.tenant_id = $1 and l.wal_id = g.wal_id)
               or exists (select 1 from documents d where d.tenant_id = $1 and d.document_uid = g.document_uid and d.wal_id = g.wal_id
                 and d.document_index = g.document_index and d.deleted_at is null))`,
    params: [
      tenantId,
      members.map(({ documentUid }) => documentUid),
      members.map(({ walId }) => walId),
      members.map(({ documentIndex }) => documentIndex),
    ],
  };
}

export const uncoveredRowSchema = z.object({ wal_id: z.string() });

/** Where a member of a former pack stands in the one that replaces it. */
export interface MovedMember {
  readonly artifactId: string;
  readonly position: number;
  readonly newPosition: number;
}

/**
 * Puts a pack in the place of others: it is registered, their members that it holds are its own, the rest of them go, and so do their rows. Nothing happens
 * where one of them is not registered any more.
 */
export function replacePacks(
  tenantId: string,
  former: readonly string[],
  next: { readonly pack: PackRow; readonly moved: readonly MovedMember[] },
): readonly Statement[] {
  const { pack, moved } = next;
  const isReplaced = "exists (select 1 from artifacts n where n.tenant_id = $1 and n.artifact_id = $3)";
  const gone = { params: [tenantId, former, pack.artifactId] };
  return [
    lockPacks(tenantId),
    {
      text: `with added as (
               ${INSERT_PACK} where ${HAS_DICTIONARY} and (select count(*) from artifacts f where f.tenant_id = $1 and f.artifact_id = any($9::text[]) and f.kind = 'pack') = cardinality($9::text[])
               returning artifact_id),
             members as (
               insert into artifact_members (tenant_id, artifact_id, user_id, position, document_uid, wal_id, document_index)
               select $1, a.artifact_id, m.user_id, g.new_position, m.document_uid, m.wal_id, m.document_index
               from unnest($10::text[], $11::bigint[], $12::bigint[]) as g (artifact_id, position, new_position) cross join added a
                 join artifact_members m on m.tenant_id = $1 and m.artifact_id = g.artifact_id and m.position = g.position
               returning 1)
             select exists (select 1 from added) as added, false as erased, (select count(*) from members)::int as member_count`,
      params: [
        ...packParams(tenantId, pack),
        former,
        moved.map(({ artifactId }) => artifactId),
        moved.map(({ position }) => position),
        moved.map(({ newPosition }) => newPosition),
      ],
    },
    {
      text: `delete from artifact_members where tenant_id = $1 and artifact_id = any($2::text[]) and ${isReplaced}`,
      ...gone,
    },
    {
      text: `delete from artifacts where tenant_id = $1 and artifact_id = any($2::text[]) and kind = 'pack' and ${isReplaced}`,
      ...gone,
    },
  ];
}

/** Takes packs of which nothing holds any more out of the registry. */
export function deletePacks(tenantId: string, artifactIds: readonly string[]): readonly Statement[] {
  const params = [tenantId, artifactIds];
  return [
    lockPacks(tenantId),
    { text: "delete from artifact_members where tenant_id = $1 and artifact_id = any($2::text[])", params },
    { text: "delete from artifacts where tenant_id = $1 and artifact_id = any($2::text[]) and kind = 'pack'", params },
  ];
}

const PACK_COLUMNS = "a.artifact_id, a.object_key, a.size_bytes, a.record_count";
const packColumnsSchema = z.object({
  artifact_id: z.string(),
  object_key: z.string(),
  size_bytes: bigintSchema,
  record_count: bigintSchema,
});

/** SQL: members of a pack that are the version of their document that holds. */
const LIVE_MEMBERS = `artifact_members m join documents d on ${isVersionOf("m", "d")} and d.deleted_at is null`;

/** Packs of a tenant with how many of their records hold, oldest first. */
export function selectPacks(tenantId: string, rowsMax: number): Statement {
  return {
    text: `select ${PACK_COLUMNS}, (select count(*) from ${LIVE_MEMBERS} where m.tenant_id = $1 and m.artifact_id = a.artifact_id) as live_count
           from artifacts a where a.tenant_id = $1 and a.kind = 'pack' order by a.created_at, a.artifact_id limit $2::int`,
    params: [tenantId, rowsMax],
  };
}

export const packStateRowSchema = packColumnsSchema.extend({ live_count: bigintSchema });
export type PackState = z.infer<typeof packStateRowSchema>;

/** Which of a tenant's objects are registered packs. */
export function selectPacksAt(tenantId: string, objectKeys: readonly string[]): Statement {
  return {
    text: `select ${PACK_COLUMNS} from artifacts a where a.tenant_id = $1 and a.kind = 'pack' and a.object_key = any($2::text[])`,
    params: [tenantId, objectKeys],
  };
}

export const packRowSchema = packColumnsSchema;
export type RegisteredPack = z.infer<typeof packRowSchema>;

/** Places of a pack's records that hold. */
export function selectLivePositions(tenantId: string, artifactId: string): Statement {
  return {
    text: `select m.position from ${LIVE_MEMBERS} where m.tenant_id = $1 and m.artifact_id = $2 order by m.position`,
    params: [tenantId, artifactId],
  };
}

export const positionRowSchema = z.object({ position: bigintSchema });

/** The pack that holds the document which was made of an input and holds, and its place there. */
export function selectPackOfVersion(
  tenantId: string,
  input: { readonly walId: string; readonly documentIndex: number },
): Statement {
  return {
    text: `select ${PACK_COLUMNS}, m.position from ${LIVE_MEMBERS}
             join artifacts a on a.tenant_id = m.tenant_id and a.artifact_id = m.artifact_id and a.kind = 'pack'
           where d.tenant_id = $1 and d.wal_id = $2 and d.document_index = $3::int
           order by a.created_at desc limit 1`,
    params: [tenantId, input.walId, input.documentIndex],
  };
}

export const packPlaceRowSchema = packColumnsSchema.extend({ position: bigintSchema });
