import { z } from "zod";
import type { Statement } from "../sql.ts";
import { isErasedSql } from "./user-erasures.ts";

/** Whose profile it is. */
export interface ProfileName {
  readonly tenantId: string;
  readonly userId: string;
}

const COLUMNS = `tenant_id, user_id, fact_key, version::float8 as version, value, removed, source, observed_at, recorded_at`;

export const factRowSchema = z.object({
  tenant_id: z.string(),
  user_id: z.string(),
  fact_key: z.string(),
  version: z.int(),
  value: z.string(),
  removed: z.boolean(),
  source: z.string(),
  observed_at: z.date(),
  recorded_at: z.date(),
});
export type FactRow = z.infer<typeof factRowSchema>;

/** Version of the profile, 0 for none. */
export function selectProfileVersion({ tenantId, userId }: ProfileName): Statement {
  return {
    text: "select coalesce(max(version), 0)::float8 as version from profiles where tenant_id = $1 and user_id = $2",
    params: [tenantId, userId],
  };
}

export const profileVersionRowSchema = z.object({ version: z.int() });

/**
 * The last version of each fact, removed ones only where their key is named. `asOf` (ISO 8601): of those that had become true by then, so that
 * a later version which says that it was so before takes the place of the earlier ones.
 */
export function selectFacts(
  { tenantId, userId }: ProfileName,
  { asOf, removedKeys }: { readonly asOf: string | null; readonly removedKeys: readonly string[] },
): Statement {
  return {
    text: `select * from (
             select distinct on (fact_key) ${COLUMNS} from profiles
             where tenant_id = $1 and user_id = $2 and ($3::timestamptz is null or observed_at <= $3::timestamptz)
             order by fact_key, version desc) f
           where not removed or fact_key = any($4::text[])`,
    params: [tenantId, userId, asOf, removedKeys],
  };
}

/** All versions in the order in which they were recorded. */
export function selectFactVersions(
  { tenantId, userId }: ProfileName,
  page: { readonly afterVersion: number; readonly afterKey: string; readonly rowsMax: number },
): Statement {
  return {
    text: `select ${COLUMNS} from profiles where tenant_id = $1 and user_id = $2 and (version, fact_key) > ($3::bigint, $4)
           order by profiles.version, fact_key limit $5::int`,
    params: [tenantId, userId, page.afterVersion, page.afterKey, page.rowsMax],
  };
}

/** Makes the writers of a profile wait for each other until the end of the transaction. */
export function lockProfile({ tenantId, userId }: ProfileName): Statement {
  return {
    text: "select pg_advisory_xact_lock(hashtextextended(jsonb_build_array('profile', $1::text, $2::text)::text, 0))",
    params: [tenantId, userId],
  };
}

/** A new version of a fact, with the document that says it. */
export interface FactVersion {
  readonly key: string;
  /** '' for a removed fact. */
  readonly value: string;
  readonly removed: boolean;
  readonly source: string;
  /** ISO 8601. */
  readonly observedAt: string;
  readonly outboxJson: string;
}

/**
 * Writes the next version of a profile, unless its version is another than expected, or its user was erased after the change had got its `walId`: then
 * no row comes back.
 */
export function insertFactVersions(
  { tenantId, userId }: ProfileName,
  {
    expected,
    walId,
    facts,
  }: { readonly expected: number; readonly walId: string; readonly facts: readonly FactVersion[] },
): Statement {
  return {
    text: `insert into profiles (tenant_id, user_id, version, fact_key, value, removed, source, observed_at, outbox, sent_hash)
           select $1, $2, $3::bigint + 1, f.fact_key, f.value, f.removed, f.source, f.observed_at, f.outbox::jsonb,
             profile_content_hash(f.removed, f.value, f.source, f.observed_at)
           from unnest($4::text[], $5::text[], $6::boolean[], $7::text[], $8::timestamptz[], $9::text[])
             as f (fact_key, value, removed, source, observed_at, outbox)
           where (select coalesce(max(version), 0) from profiles where tenant_id = $1 and user_id = $2) = $3::bigint
             and ${isErasedSql("$10", "$2")} is not true
           returning outbox`,
    params: [
      tenantId,
      userId,
      expected,
      facts.map((fact) => fact.key),
      facts.map((fact) => fact.value),
      facts.map((fact) => fact.removed),
      facts.map((fact) => fact.source),
      facts.map((fact) => fact.observedAt),
      facts.map((fact) => fact.outboxJson),
      walId,
    ],
  };
}
