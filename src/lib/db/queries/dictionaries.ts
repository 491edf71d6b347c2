import { z } from "zod";
import type { Statement } from "../sql.ts";
import { lockPacks } from "./packs.ts";
import { holdErasures, isErasedSql, type UserName } from "./user-erasures.ts";

/** The dictionary that a tenant's next packs are made with; no row where there is none. */
export function selectCurrentDictionary(tenantId: string): Statement {
  return { text: "select dictionary_id from dictionaries where tenant_id = $1 and is_current", params: [tenantId] };
}

export const dictionaryIdRowSchema = z.object({ dictionary_id: z.string() });

/** When the tenant's last training took place, milliseconds; null before the first. */
export function selectLastTraining(tenantId: string): Statement {
  return {
    text: "select (extract(epoch from max(trained_at)) * 1000)::float8 as trained_at_ms from dictionaries where tenant_id = $1",
    params: [tenantId],
  };
}

export const lastTrainingRowSchema = z.object({ trained_at_ms: z.number().nullable() });

/** Documents that hold and came with requests behind a wal_id; counted up to `countMax`. */
export function countDocumentsAfter(tenantId: string, afterWalId: string, countMax: number): Statement {
  return {
    text: `select count(*)::int as document_count from (
             select 1 from documents where tenant_id = $1 and wal_id > $2 and deleted_at is null limit $3::int) d`,
    params: [tenantId, afterWalId, countMax],
  };
}

export const documentCountRowSchema = z.object({ document_count: z.int() });

/** The newest requests whose documents are in no pack. */
export function selectNewestUnpackedWal(tenantId: string, rowsMax: number): Statement {
  return {
    text: `select d.wal_id from documents d
           where d.tenant_id = $1 and d.deleted_at is null and not exists (
             select 1 from artifact_members m where m.tenant_id = $1 and m.document_uid = d.document_uid and m.wal_id = d.wal_id
               and m.document_index = d.document_index)
           group by d.wal_id order by d.wal_id desc limit $2::int`,
    params: [tenantId, rowsMax],
  };
}

export const walIdRowSchema = z.object({ wal_id: z.string() });

/** The newest packs of a tenant. */
export function selectNewestPacks(tenantId: string, rowsMax: number): Statement {
  return {
    text: `select artifact_id, object_key, size_bytes, record_count from artifacts where tenant_id = $1 and kind = 'pack'
           order by created_at desc, artifact_id desc limit $2::int`,
    params: [tenantId, rowsMax],
  };
}

/** A training, and what came of it. */
export interface TrainedDictionary {
  readonly dictionaryId: string;
  readonly measuredBytes: number;
  readonly plainBytes: number;
}

/** Notes a training whose dictionary did not win. Of one that has its object nothing changes but the time. */
export function insertLoser(
  tenantId: string,
  { dictionaryId, measuredBytes, plainBytes }: TrainedDictionary,
): Statement {
  return {
    text: `insert into dictionaries (tenant_id, dictionary_id, measured_bytes, plain_bytes) values ($1, $2, $3::bigint, $4::bigint)
           on conflict (tenant_id, dictionary_id) do update set trained_at = now()`,
    params: [tenantId, dictionaryId, measuredBytes, plainBytes],
  };
}

/** Whose texts are in a dictionary, and the oldest version of each of them. */
export interface TrainedUsers {
  readonly userIds: readonly string[];
  readonly oldestVersions: readonly string[];
}

export interface DictionaryObject {
  readonly artifactId: string;
  readonly objectKey: string;
  readonly sizeBytes: number;
  readonly sha256Hex: string;
}

const MEDIA_TYPE = "application/vnd.jeeves.dictionary";

/**
 * Makes a dictionary the tenant's current one and registers its object, unless a user was erased since their texts were read: the last statement says
 * whether it is. Two at once: one of them fails as `unique_violation`, or comes after the other.
 */
export function promoteDictionary(
  tenantId: string,
  trained: TrainedDictionary,
  { users, object }: { readonly users: TrainedUsers; readonly object: DictionaryObject },
): readonly Statement[] {
  const { dictionaryId, measuredBytes, plainBytes } = trained;
  const noneErased = `not exists (select 1 from unnest($3::text[], $4::text[]) as o (user_id, version_key)
    where ${isErasedSql(`o.version_key collate "C"`, "o.user_id")})`;
  const given = [tenantId, dictionaryId, users.userIds, users.oldestVersions];
  return [
    holdErasures(tenantId, users.userIds),
    {
      text: `update dictionaries set is_current = false where tenant_id = $1 and is_current and dictionary_id <> $2 and ${noneErased}`,
      params: given,
    },
    {
      text: `insert into dictionaries (tenant_id, dictionary_id, is_current, has_object, user_hashes, measured_bytes, plain_bytes)
             select $1, $2, true, true, array(select distinct user_hash(u.id) from unnest($3::text[]) as u (id)), $5::bigint, $6::bigint
             where ${noneErased}
             on conflict (tenant_id, dictionary_id) do update set is_current = true, has_object = true, user_hashes = excluded.user_hashes,
               measured_bytes = excluded.measured_bytes, plain_bytes = excluded.plain_bytes, trained_at = now()`,
      params: [...given, measuredBytes, plainBytes],
    },
    {
      text: `insert into artifacts (tenant_id, user_id, artifact_id, kind, object_key, media_type, size_bytes, sha256)
             select $1, '*', $5, 'dictionary', $6, '${MEDIA_TYPE}', $7::bigint, decode($8, 'hex')
             where exists (select 1 from dictionaries where tenant_id = $1 and dictionary_id = $2 and is_current) and ${noneErased}
             on conflict (tenant_id, artifact_id) do nothing`,
      params: [...given, object.artifactId, object.objectKey, object.sizeBytes, object.sha256Hex],
    },
    selectCurrentDictionary(tenantId),
  ];
}

/** SQL: no registered pack needs the dictionary `d`. */
const IS_UNNEEDED = `not exists (select 1 from artifacts a where a.tenant_id = d.tenant_id and a.dictionary_id = d.dictionary_id)`;

/** Dictionaries that nothing needs, and that were trained so long ago that no pack in the making does; and those whose removal was begun. */
export function selectUnneededDictionaries(tenantId: string): Statement {
  return {
    text: `select d.dictionary_id from dictionaries d where d.tenant_id = $1 and not d.is_current and ${IS_UNNEEDED}
             and (d.has_object and d.trained_at < now() - interval '1 day' or not d.has_object and d.user_hashes <> '{}')
           order by 1 limit 100`,
    params: [tenantId],
  };
}

/**
 * Takes those of the dictionaries out of the registry that no registered pack needs, and returns them: from then on none is registered that does. Their rows
 * say whose texts their objects have until `clearDictionaries`.
 */
export function forgetDictionaries(tenantId: string, dictionaryIds: readonly string[]): readonly Statement[] {
  return [
    lockPacks(tenantId),
    {
      text: `delete from artifacts f using dictionaries d where f.tenant_id = $1 and f.kind = 'dictionary' and d.tenant_id = $1
               and d.dictionary_id = any($2::text[]) and f.artifact_id = 'dictionary-' || d.dictionary_id and ${IS_UNNEEDED}`,
      params: [tenantId, dictionaryIds],
    },
    {
      text: `update dictionaries d set is_current = false, has_object = false
             where d.tenant_id = $1 and d.dictionary_id = any($2::text[]) and ${IS_UNNEEDED} returning d.dictionary_id`,
      params: [tenantId, dictionaryIds],
    },
  ];
}

/** Their objects are gone. Rows of trainings go with the reports of their runs. */
export function clearDictionaries(tenantId: string, dictionaryIds: readonly string[]): readonly Statement[] {
  return [
    {
      text: `update dictionaries set user_hashes = '{}' where tenant_id = $1 and dictionary_id = any($2::text[]) and not has_object`,
      params: [tenantId, dictionaryIds],
    },
    {
      text: `delete from dictionaries where tenant_id = $1 and not has_object and user_hashes = '{}' and trained_at < now() - interval '35 days'`,
      params: [tenantId],
    },
  ];
}

/** No pack is made with them from now on: dictionaries that were trained on the user's texts. Returns them. */
export function demoteDictionariesOf({ tenantId, userId }: UserName): Statement {
  return {
    text: `update dictionaries set is_current = false where tenant_id = $1 and user_hash($2) = any(user_hashes) returning dictionary_id`,
    params: [tenantId, userId],
  };
}

export function countDictionariesOf({ tenantId, userId }: UserName): Statement {
  return {
    text: `select count(*)::int as dictionary_count from dictionaries where tenant_id = $1 and user_hash($2) = any(user_hashes)`,
    params: [tenantId, userId],
  };
}

export const dictionaryCountRowSchema = z.object({ dictionary_count: z.int() });

/** Packs that cannot be read without one of these dictionaries. */
export function selectPacksWith(tenantId: string, dictionaryIds: readonly string[], rowsMax: number): Statement {
  return {
    text: `select artifact_id, object_key, size_bytes, record_count from artifacts
           where tenant_id = $1 and kind = 'pack' and dictionary_id = any($2::text[]) order by artifact_id limit $3::int`,
    params: [tenantId, dictionaryIds, rowsMax],
  };
}

/** `dictionary-<id>`. */
export function dictionaryArtifactId(dictionaryId: string): string {
  return `dictionary-${dictionaryId}`;
}
