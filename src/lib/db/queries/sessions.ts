import { z } from "zod";
import { firstUlidOf } from "../../base/ids.ts";
import type { Statement } from "../sql.ts";
import { isErasedSql } from "./user-erasures.ts";

/** A segment as the store registers it. */
export interface SegmentRow {
  readonly tenantId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly source: string;
  readonly artifactId: string;
  readonly objectKey: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly sha256Hex: string;
  readonly lastSeq: number;
  readonly eventCount: number;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  readonly createdAtMs: number;
}

/** The documents that an artifact holds, one for each position. Repeating it changes nothing. */
export function insertMembers(
  artifact: Pick<SegmentRow, "tenantId" | "userId" | "artifactId">,
  members: readonly { readonly position: number; readonly documentUid: string }[],
): Statement {
  return {
    text: `insert into artifact_members (tenant_id, user_id, artifact_id, position, document_uid)
           select $1, $2, $3, m.position, m.document_uid from unnest($4::bigint[], $5::uuid[]) m (position, document_uid)
           on conflict (tenant_id, artifact_id, position) do nothing`,
    params: [
      artifact.tenantId,
      artifact.userId,
      artifact.artifactId,
      members.map(({ position }) => position),
      members.map(({ documentUid }) => documentUid),
    ],
  };
}

/** Takes the row of the session, made where there is none, until the transaction ends: registering and erasing follow one another. */
export function lockSession({
  tenantId,
  userId,
  sessionId,
}: Pick<SegmentRow, "tenantId" | "userId" | "sessionId">): Statement {
  return {
    text: `insert into sessions (tenant_id, user_id, session_id) values ($1, $2, $3)
           on conflict (tenant_id, user_id, session_id) do update set updated_at = now()`,
    params: [tenantId, userId, sessionId],
  };
}

/**
 * Registers a segment and adds it to its session's totals, once: a repeat finds the artifact and adds nothing. Of a session that was erased after the
 * segment had been made nothing is registered, and the members that came before go; where its user was erased, so does the row of the session.
 */
export function registerSegment(row: SegmentRow): Statement {
  return {
    text: `with erased_user as (select 1 where ${isErasedSql("$15", "$2")}),
           erased as (
             select 1 from erased_user union all
             select 1 from sessions where tenant_id = $1 and user_id = $2 and session_id = $3 and erased_at >= to_timestamp($14::float8 / 1000)),
           unmade as (
             delete from sessions where tenant_id = $1 and user_id = $2 and session_id = $3 and exists (select 1 from erased_user)),
           forgotten as (
             delete from artifact_members where tenant_id = $1 and artifact_id = $5 and exists (select 1 from erased)),
           added as (
             insert into artifacts (tenant_id, user_id, artifact_id, kind, object_key, media_type, size_bytes, sha256)
             select $1, $2, $5, 'segment', $6, $7, $8::bigint, decode($9, 'hex') where not exists (select 1 from erased)
             on conflict do nothing returning 1),
           summed as (
             update sessions s set source = $4, first_event_at = least(s.first_event_at, to_timestamp($12::float8 / 1000)),
               last_event_at = greatest(s.last_event_at, to_timestamp($13::float8 / 1000)), sealed_seq = greatest(s.sealed_seq, $10::bigint),
               event_count = s.event_count + $11::bigint, segment_count = s.segment_count + 1, updated_at = now()
             where tenant_id = $1 and user_id = $2 and session_id = $3 and exists (select 1 from added))
           select exists (select 1 from erased) as erased, exists (select 1 from added) as added`,
    params: [
      row.tenantId,
      row.userId,
      row.sessionId,
      row.source,
      row.artifactId,
      row.objectKey,
      row.mediaType,
      row.sizeBytes,
      row.sha256Hex,
      row.lastSeq,
      row.eventCount,
      row.firstAtMs,
      row.lastAtMs,
      row.createdAtMs,
      firstUlidOf(row.createdAtMs),
    ],
  };
}

export const registeredRowSchema = z.object({ erased: z.boolean(), added: z.boolean() });

/** Whether a segment is an artifact, and whether its session or its user was erased after it had been made. */
export function selectSegmentState(
  row: Pick<SegmentRow, "tenantId" | "userId" | "sessionId" | "artifactId" | "createdAtMs">,
): Statement {
  return {
    text: `select exists (select 1 from artifacts where tenant_id = $1 and user_id = $2 and artifact_id = $4) as registered,
             exists (select 1 from sessions where tenant_id = $1 and user_id = $2 and session_id = $3
               and erased_at >= to_timestamp($5::float8 / 1000)) or coalesce(${isErasedSql("$6", "$2")}, false) as erased`,
    params: [row.tenantId, row.userId, row.sessionId, row.artifactId, row.createdAtMs, firstUlidOf(row.createdAtMs)],
  };
}

export const segmentStateRowSchema = z.object({ registered: z.boolean(), erased: z.boolean() });
