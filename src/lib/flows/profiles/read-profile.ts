import { z } from "zod";
import { err, ok, type Result } from "../../base/result.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Fact, profileHistorySchema, ProfileDiff, profileSchema } from "../../contract/profile.ts";
import {
  factRowSchema,
  profileVersionRowSchema,
  selectFacts,
  selectFactVersions,
  selectProfileVersion,
  type FactRow,
  type ProfileName,
} from "../../db/queries/profiles.ts";
import type { Sql, Statement } from "../../db/sql.ts";
import { ownRows } from "../own-rows.ts";
import { problemOfSql } from "../problem-of.ts";

interface ReadContext {
  readonly sql: Sql;
}

/** The facts that hold, or that held at a time (ISO 8601). `not_found` for a user of whom nothing was ever recorded. */
export async function readProfile(
  context: ReadContext,
  principal: Principal,
  { userId, asOf }: { readonly userId: string; readonly asOf: string | null },
): Promise<Result<z.infer<typeof profileSchema>, Problem>> {
  const read = await readRows(context, principal, userId, (name) => [selectFacts(name, { asOf, removedKeys: [] })]);
  if (!read.ok) return read;
  const { version, lists } = read.value;
  return ok({ user_id: userId, version, as_of: asOf, facts: (lists[0] ?? []).map(factOf) });
}

/** What became different between two times: the first is `from`. */
export async function compareProfile(
  context: ReadContext,
  principal: Principal,
  { userId, from, to }: { readonly userId: string; readonly from: string; readonly to: string },
): Promise<Result<ProfileDiff, Problem>> {
  const read = await readRows(context, principal, userId, (name) =>
    [from, to].map((asOf) => selectFacts(name, { asOf, removedKeys: [] })),
  );
  if (!read.ok) return read;
  const [before = [], after = []] = read.value.lists.map((rows) => rows.map(factOf));
  return ok({ user_id: userId, from, to, ...differenceOf(before, after) });
}

function differenceOf(
  before: readonly Fact[],
  after: readonly Fact[],
): Pick<ProfileDiff, "added" | "changed" | "removed"> {
  const earlier = new Map(before.map((fact) => [fact.key, fact]));
  const later = new Set(after.map(({ key }) => key));
  return {
    added: after.filter(({ key }) => !earlier.has(key)),
    changed: after.flatMap((fact) => {
      const old = earlier.get(fact.key);
      return old === undefined || old.version === fact.version ? [] : [{ before: old, after: fact }];
    }),
    removed: before.filter(({ key }) => !later.has(key)),
  };
}

const cursorSchema = z.tuple([z.int().min(0), z.string()]);

/** Every version of every fact in the order in which they were recorded, page by page. */
export async function listProfileHistory(
  context: ReadContext,
  principal: Principal,
  page: { readonly userId: string; readonly after: string | null; readonly rowsMax: number },
): Promise<Result<z.infer<typeof profileHistorySchema>, Problem>> {
  const slash = page.after?.indexOf("/") ?? -1;
  const cursor = cursorSchema.safeParse(
    page.after === null ? [0, ""] : [Number(page.after.slice(0, slash)), page.after.slice(slash + 1)],
  );
  if (!cursor.success || (page.after !== null && slash < 1))
    return err({ code: "parameter_invalid", pointer: "/after" });
  const [afterVersion, afterKey] = cursor.data;
  const read = await readRows(context, principal, page.userId, (name) => [
    selectFactVersions(name, { afterVersion, afterKey, rowsMax: page.rowsMax }),
  ]);
  if (!read.ok) return read;
  const rows = read.value.lists[0] ?? [];
  const last = rows.length < page.rowsMax ? undefined : rows.at(-1);
  return ok({
    user_id: page.userId,
    version: read.value.version,
    versions: rows.map((row) => ({ ...factOf(row), removed: row.removed })),
    next: last === undefined ? null : `${last.version}/${last.fact_key}`,
  });
}

interface ReadRows {
  readonly version: number;
  readonly lists: readonly (readonly FactRow[])[];
}

/** The version of a profile and lists of its rows, as one moment had them. */
async function readRows(
  context: ReadContext,
  principal: Principal,
  userId: string,
  statementsOf: (name: ProfileName) => readonly Statement[],
): Promise<Result<ReadRows, Problem>> {
  if (principal.userId !== "" && principal.userId !== userId) return err({ code: "user_forbidden" });
  const name = { tenantId: principal.tenantId, userId };
  const options = { readOnly: true, isolation: "RepeatableRead" } as const;
  const read = await context.sql.transaction(name, [selectProfileVersion(name), ...statementsOf(name)], options);
  if (!read.ok) return err(problemOfSql(read.error));
  const [versions = [], ...lists] = read.value;
  const { version } = profileVersionRowSchema.parse(versions[0]);
  if (version === 0) return err({ code: "not_found" });
  const parsed = lists.map((rows) => rows.map((row) => factRowSchema.parse(row)));
  const own = ownRows("profiles", name, parsed.flat());
  return own.ok ? ok({ version, lists: parsed }) : own;
}

function factOf(row: FactRow): Fact {
  return {
    key: row.fact_key,
    value: row.value,
    source: row.source,
    observed_at: row.observed_at.toISOString(),
    recorded_at: row.recorded_at.toISOString(),
    version: row.version,
  };
}
