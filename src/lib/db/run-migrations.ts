/**
 * Brings a database up to date through the `Sql` port, so one code path serves Neon, any Postgres and PGlite. Safe to
 * run by many at once and again after any interruption; connect as the owner of the schema.
 */
import { assert, AssertionError } from "../base/assert.ts";
import { err, ok } from "../base/result.ts";
import type { Result } from "../base/result.ts";
import { chooseVariant, concurrentIndexName, planMigrations, readMigrations } from "./migrate.ts";
import type { AppliedMigration, Migration, MigrationFile, MigrationRefusal, Variant } from "./migrate.ts";
import type { Row, Scope, Sql, SqlError } from "./sql.ts";

export interface MigrationRun {
  readonly sql: Sql;
  readonly files: readonly MigrationFile[];
  /** Names this runner in the lease of a `-- no-transaction` file; unique to it. */
  readonly holder: string;
  readonly sleep: (delayMs: number) => Promise<void>;
  /** For one batch or one statement outside a transaction. Index builds take long. */
  readonly statementTimeoutMs?: number;
  readonly onApplied?: (migration: Migration) => void;
  /** Another runner holds the lease of a migration; called once per wait. */
  readonly onWaiting?: () => void;
}

/** A migration failed and left nothing of itself, or repeatable statements only. */
interface MigrationFailure {
  readonly code: "migration_failed";
  readonly message: string;
  readonly sqlError: SqlError;
}

export type MigrationError = MigrationRefusal | MigrationFailure;

export interface MigrationOutcome {
  readonly variant: Variant;
  /** What this runner applied itself; others may have applied the rest. */
  readonly applied: readonly Migration[];
}

const STATEMENT_TIMEOUT_MS = 600_000;
/** The lease outlives the longest statement by this, so that none runs without it. */
const LEASE_MARGIN_MS = 60_000;
const POLL_DELAY_MS = 500;
/** Turns of the loop (one migration, one collision or one wait each) before giving up. */
const TURNS_MAX = 5_000;
/** Consecutive failures that may pass by themselves (deadlock, lost connection). */
const RETRIES_MAX = 5;
const NO_SCOPE: Scope = { tenantId: "", userId: "" };

const BOOTSTRAP = [
  `create table if not exists schema_migrations (
    version integer primary key,
    name text not null,
    variant text not null,
    checksum text not null,
    applied_at timestamptz not null default now()
  )`,
  `create table if not exists migration_leases (
    version integer primary key,
    holder text not null,
    expires_at timestamptz not null
  )`,
];

/** Applies what is pending. Errors: a refusal (nothing was changed), or the failed migration (those before it stay). */
export async function runMigrations(run: MigrationRun): Promise<Result<MigrationOutcome, MigrationError>> {
  const migrations = readMigrations(run.files);
  if (!migrations.ok) return migrations;
  const applied: Migration[] = [];
  let failures = 0;
  let isBootstrapped = false;
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    const step: Result<Step, MigrationError> = isBootstrapped
      ? await takeStep(run, migrations.value)
      : await bootstrap(run.sql);
    if (step.ok) {
      failures = 0;
      isBootstrapped = true;
      if (step.value.kind === "done") return ok({ variant: step.value.variant, applied });
      if (step.value.kind === "waiting") {
        run.onWaiting?.();
        await run.sleep(POLL_DELAY_MS);
      }
      if (step.value.kind === "applied") {
        applied.push(step.value.migration);
        run.onApplied?.(step.value.migration);
      }
    } else {
      failures += 1;
      if (!isRetryable(step.error) || failures > RETRIES_MAX) return step;
      await run.sleep(POLL_DELAY_MS);
    }
  }
  throw new AssertionError("a migration run ends within its turns");
}

type Step =
  | { readonly kind: "done"; readonly variant: Variant }
  | { readonly kind: "applied"; readonly migration: Migration }
  /** Another runner applied it first: read again. */
  | { readonly kind: "overtaken" }
  /** Another runner holds the lease. */
  | { readonly kind: "waiting" };

/**
 * Two first runs at once collide in the catalog, since "if not exists" does not lock: a unique violation of a system
 * table, duplicate_table (42P07) or duplicate_object (42710).
 */
function isCatalogCollision({ constraint, sqlState }: SqlError): boolean {
  return (constraint?.startsWith("pg_") ?? false) || sqlState === "42P07" || sqlState === "42710";
}

function isRetryable(error: MigrationError): boolean {
  return error.code === "migration_failed" && error.sqlError.retryable;
}

async function bootstrap(sql: Sql): Promise<Result<Step, MigrationError>> {
  for (const text of BOOTSTRAP) {
    let created = await sql.query({ text, params: [] });
    for (let retry = 0; !created.ok && isCatalogCollision(created.error) && retry < RETRIES_MAX; retry += 1) {
      created = await sql.query({ text, params: [] });
    }
    if (!created.ok) return failed("the version table", created.error);
  }
  return ok({ kind: "overtaken" });
}

async function takeStep(run: MigrationRun, migrations: readonly Migration[]): Promise<Result<Step, MigrationError>> {
  const state = await readState(run.sql);
  if (!state.ok) return state;
  const variant = chooseVariant(state.value.applied, state.value.hasVectorExtension);
  const pending = planMigrations(migrations, state.value.applied, variant);
  if (!pending.ok) return pending;
  const next = pending.value[0];
  if (next === undefined) return ok({ kind: "done", variant });
  return next.isTransactional ? applyInTransaction(run, next) : applyUnderLease(run, next);
}

interface State {
  readonly applied: readonly AppliedMigration[];
  readonly hasVectorExtension: boolean;
}

async function readState(sql: Sql): Promise<Result<State, MigrationError>> {
  const read = await sql.transaction(NO_SCOPE, [
    { text: "select version, name, variant, checksum from schema_migrations order by version", params: [] },
    { text: "select 1 from pg_available_extensions where name = 'vector'", params: [] },
  ]);
  if (!read.ok) return failed("reading the version table", read.error);
  const [rows = [], extensions = []] = read.value;
  return ok({ applied: rows.map(appliedOf), hasVectorExtension: extensions.length > 0 });
}

function appliedOf(row: Row): AppliedMigration {
  const { version, name, variant, checksum } = row;
  assert(
    typeof version === "number" && typeof name === "string" && typeof checksum === "string",
    "schema_migrations has the columns of its definition",
  );
  assert(variant === "" || variant === "vector" || variant === "jsonb", "a variant is one of three");
  return { version, name, variant, checksum };
}

/** The version row goes first: a second runner waits on its key, then finds the migration done. */
async function applyInTransaction(run: MigrationRun, migration: Migration): Promise<Result<Step, MigrationError>> {
  const done = await run.sql.transaction(
    NO_SCOPE,
    [versionRow(migration), ...migration.statements.map((text) => ({ text, params: [] }))],
    { timeoutMs: run.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS },
  );
  if (done.ok) return ok({ kind: "applied", migration });
  if (done.error.constraint === "schema_migrations_pkey") return ok({ kind: "overtaken" });
  return failed(labelOf(migration), done.error);
}

/** Statement by statement while the lease is ours. Every statement is repeatable, so a takeover starts from the first. */
async function applyUnderLease(run: MigrationRun, migration: Migration): Promise<Result<Step, MigrationError>> {
  for (const text of migration.statements) {
    const lease = await takeLease(run, migration);
    if (!lease.ok) return lease;
    if (lease.value !== "ours") return ok({ kind: lease.value });
    const cleared = await dropInvalidIndex(run, text);
    if (!cleared.ok) return failed(labelOf(migration), cleared.error);
    const timeoutMs = run.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
    const done = await run.sql.query({ text, params: [] }, { timeoutMs });
    if (!done.ok) {
      await giveUpLease(run, migration);
      return failed(labelOf(migration), done.error);
    }
  }
  const recorded = await run.sql.transaction(NO_SCOPE, [
    versionRow(migration),
    { text: "delete from migration_leases where version = $1", params: [migration.version] },
  ]);
  if (recorded.ok) return ok({ kind: "applied", migration });
  if (recorded.error.constraint === "schema_migrations_pkey") return ok({ kind: "overtaken" });
  return failed(labelOf(migration), recorded.error);
}

/**
 * Takes or renews the lease, unless another runner's is still good. Only a look after the lease is ours is certain: the
 * runner before may have finished while this one waited for its row. Then the lease goes back in the same transaction.
 */
async function takeLease(
  run: MigrationRun,
  migration: Migration,
): Promise<Result<"ours" | "waiting" | "overtaken", MigrationError>> {
  const leaseMs = (run.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS) + LEASE_MARGIN_MS;
  const taken = await run.sql.transaction(
    NO_SCOPE,
    [
      {
        text: `insert into migration_leases as lease (version, holder, expires_at)
        values ($1, $2, now() + $3::double precision * interval '1 millisecond')
        on conflict (version) do update set holder = excluded.holder, expires_at = excluded.expires_at
        where lease.holder = excluded.holder or lease.expires_at < now()
        returning holder`,
        params: [migration.version, run.holder, leaseMs],
      },
      {
        text: `delete from migration_leases where version = $1 and holder = $2
        and exists (select 1 from schema_migrations where version = $1)`,
        params: [migration.version, run.holder],
      },
      { text: "select 1 from schema_migrations where version = $1", params: [migration.version] },
    ],
    { isolation: "ReadCommitted" },
  );
  if (!taken.ok) return failed(labelOf(migration), taken.error);
  const [leaseRows = [], , appliedRows = []] = taken.value;
  if (appliedRows.length > 0) return ok("overtaken");
  return ok(leaseRows.length > 0 ? "ours" : "waiting");
}

/** Spares the next runner the wait for the lease to expire; where even this fails, it expires. */
async function giveUpLease(run: MigrationRun, migration: Migration): Promise<void> {
  await run.sql.query({
    text: "delete from migration_leases where version = $1 and holder = $2",
    params: [migration.version, run.holder],
  });
}

/** An interrupted `create index concurrently` leaves an invalid index, which `if not exists` would take for a good one. */
async function dropInvalidIndex(run: MigrationRun, statement: string): Promise<Result<unknown, SqlError>> {
  const indexName = concurrentIndexName(statement);
  if (indexName === undefined) return ok(undefined);
  const invalid = await run.sql.query({
    text: "select 1 from pg_index where indexrelid = to_regclass($1) and not indisvalid",
    params: [indexName],
  });
  if (!invalid.ok || invalid.value.length === 0) return invalid;
  return run.sql.query({ text: `drop index concurrently if exists ${indexName}`, params: [] });
}

function versionRow(migration: Migration): { text: string; params: readonly unknown[] } {
  return {
    text: "insert into schema_migrations (version, name, variant, checksum) values ($1, $2, $3, $4)",
    params: [migration.version, migration.name, migration.variant, migration.checksum],
  };
}

function labelOf(migration: Migration): string {
  return `${String(migration.version).padStart(4, "0")}_${migration.name}`;
}

function failed(what: string, sqlError: SqlError): { readonly ok: false; readonly error: MigrationFailure } {
  const state = sqlError.sqlState === undefined ? "" : `, SQLSTATE ${sqlError.sqlState}`;
  return err({ code: "migration_failed", message: `${what} failed: ${sqlError.code}${state}`, sqlError });
}
