import { z } from "zod";
import type { Statement } from "../sql.ts";

/** A finding as its mark names it: the subject by its hash alone, which may name a user. */
export interface MarkName {
  readonly kind: string;
  readonly subjectHash: string;
}

/** Seconds that lie between the first and the last sight of a finding before it may be repaired. */
const CONFIRM_SECONDS = 3_600;
/** Marks of one tenant: what goes beyond them is counted, and repaired by a later run. */
const MARKS_MAX = 10_000;

const NAMES = "unnest($2::text[], $3::text[]) as n (kind, subject_hash)";
const paramsOf = (tenantId: string, names: readonly MarkName[]): readonly unknown[] => [
  tenantId,
  names.map(({ kind }) => kind),
  names.map(({ subjectHash }) => subjectHash),
];
const IS_CONFIRMED = `m.last_seen_at >= m.first_seen_at + make_interval(secs => ${CONFIRM_SECONDS})`;

/** Notes that findings were seen now, and returns those that were seen an hour ago or longer too. */
export function markFindings(tenantId: string, names: readonly MarkName[]): Statement {
  return {
    text: `insert into orphan_marks as m (tenant_id, kind, subject_hash)
           select distinct $1, n.kind, decode(n.subject_hash, 'hex') from ${NAMES}
           where (select count(*) from orphan_marks o where o.tenant_id = $1) < ${MARKS_MAX}
             or exists (select 1 from orphan_marks o where o.tenant_id = $1 and o.kind = n.kind and o.subject_hash = decode(n.subject_hash, 'hex'))
           on conflict (tenant_id, kind, subject_hash) do update set last_seen_at = now()
           returning m.kind, encode(m.subject_hash, 'hex') as subject_hash, ${IS_CONFIRMED} as is_confirmed`,
    params: paramsOf(tenantId, names),
  };
}

/** The marks that these findings have. */
export function selectMarks(tenantId: string, names: readonly MarkName[]): Statement {
  return {
    text: `select m.kind, encode(m.subject_hash, 'hex') as subject_hash, ${IS_CONFIRMED} as is_confirmed
           from ${NAMES} join orphan_marks m on m.tenant_id = $1 and m.kind = n.kind and m.subject_hash = decode(n.subject_hash, 'hex')`,
    params: paramsOf(tenantId, names),
  };
}

export const markRowSchema = z.object({ kind: z.string(), subject_hash: z.string(), is_confirmed: z.boolean() });

/** Takes the marks away of what a whole look, begun at `begunAt`, did not see again. */
export function forgetMarks(tenantId: string, kinds: readonly string[], begunAt: string): Statement {
  return {
    text: "delete from orphan_marks where tenant_id = $1 and kind = any($2::text[]) and last_seen_at < $3::timestamptz",
    params: [tenantId, kinds, begunAt],
  };
}

/** The database's clock, by which marks are kept. */
export const SELECT_NOW: Statement = {
  text: `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
  params: [],
};

export const nowRowSchema = z.object({ now: z.string() });
