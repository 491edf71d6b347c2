/** What a migration is and which ones a database still needs. Pure; `run-migrations.ts` carries the plan out. */
import { sha256HexSync } from "../base/hash.ts";
import { err, ok } from "../base/result.ts";
import type { Result } from "../base/result.ts";
import { splitStatements } from "./split-statements.ts";

/** How vectors are kept: by the `vector` extension, or as jsonb where the server does not have it. */
export type Variant = "vector" | "jsonb";

/** One file of the migrations folder: `0001_core.sql`, or both `0002_x.vector.sql` and `0002_x.jsonb.sql`. */
export interface MigrationFile {
  readonly fileName: string;
  readonly text: string;
}

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** '' for a file that every database gets. */
  readonly variant: Variant | "";
  /** SHA-256 of the text with line ends as LF. */
  readonly checksum: string;
  readonly statements: readonly string[];
  /** False: statement by statement, outside a transaction (`-- no-transaction` in the first line). */
  readonly isTransactional: boolean;
}

/** A row of `schema_migrations`. */
export type AppliedMigration = Pick<Migration, "version" | "name" | "variant" | "checksum">;

/** `message` is for the operator and names files only. */
export interface MigrationRefusal {
  readonly code: "migration_invalid" | "migration_edited" | "migration_missing";
  readonly message: string;
}

const FILE_NAME = /^(\d{4})_([a-z0-9_]+)(?:\.(vector|jsonb))?\.sql$/;
const NO_TRANSACTION = /^-- no-transaction\b/;

/** What may stand in a `-- no-transaction` file: it has the same effect when it is run again after an interruption. */
const REPEATABLE =
  /^(create (unique )?index concurrently if not exists|drop index concurrently if exists|reindex|vacuum|analyze|alter type \S+ add value if not exists)\b/;

/** Migrations in order of version. Refuses wrong names, gaps, a variant without its twin, what cannot be repeated. */
export function readMigrations(files: readonly MigrationFile[]): Result<readonly Migration[], MigrationRefusal> {
  const migrations: Migration[] = [];
  for (const file of files) {
    const migration = readMigration(file);
    if (!migration.ok) return migration;
    migrations.push(migration.value);
  }
  migrations.sort((a, b) => a.version - b.version || a.variant.localeCompare(b.variant));
  for (let version = 1; version <= (migrations.at(-1)?.version ?? 0); version += 1) {
    const same = migrations.filter((migration) => migration.version === version);
    const shape = same.map(({ variant }) => variant).join();
    if ((shape !== "" && shape !== "jsonb,vector") || same.length === 0 || same[0]?.name !== same.at(-1)?.name) {
      return refuse("migration_invalid", `migration ${version} needs one file, or one .vector and one .jsonb file`);
    }
  }
  return ok(migrations);
}

function readMigration({ fileName, text }: MigrationFile): Result<Migration, MigrationRefusal> {
  const parts = FILE_NAME.exec(fileName);
  if (parts === null) return refuse("migration_invalid", `${fileName} is not named NNNN_name[.vector|.jsonb].sql`);
  const [, version, name, variant] = parts;
  const normalText = text.replaceAll("\r\n", "\n");
  const isTransactional = !NO_TRANSACTION.test(normalText);
  const statements = splitStatements(normalText);
  const isRepeatable = statements.every((statement) => REPEATABLE.test(bareStatement(statement)));
  if (!isTransactional && !isRepeatable) {
    return refuse("migration_invalid", `${fileName} holds a statement that cannot be repeated after an interruption`);
  }
  return ok({
    version: Number(version),
    name: name ?? "",
    variant: variant === "vector" || variant === "jsonb" ? variant : "",
    checksum: sha256HexSync(normalText),
    statements,
    isTransactional,
  });
}

/** The statement in lower case, without the comments before it and with single spaces: for looking at, not for running. */
function bareStatement(statement: string): string {
  return statement
    .replace(/^(\s+|--[^\n]*(\n|$)|\/\*[^]*?\*\/)+/, "")
    .replaceAll(/\s+/g, " ")
    .toLowerCase();
}

/** Name of the index that a statement builds concurrently, which an interruption leaves there invalid. */
export function concurrentIndexName(statement: string): string | undefined {
  return /^create (?:unique )?index concurrently if not exists "?([a-z0-9_]+)"? /.exec(bareStatement(statement))?.[1];
}

/** The variant a database was begun with, for ever; for an empty one, what its server can do. */
export function chooseVariant(applied: readonly AppliedMigration[], hasVectorExtension: boolean): Variant {
  const begun = applied.find(({ variant }) => variant !== "")?.variant;
  return begun || (hasVectorExtension ? "vector" : "jsonb");
}

/**
 * Migrations still to apply, in order. Refuses when one that was applied has changed, is gone, or comes after one that
 * was not applied: migrations are append-only.
 */
export function planMigrations(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
  variant: Variant,
): Result<readonly Migration[], MigrationRefusal> {
  const wanted = migrations.filter((migration) => migration.variant === "" || migration.variant === variant);
  for (const row of applied) {
    const file = wanted.find((migration) => migration.version === row.version);
    const label = `${String(row.version).padStart(4, "0")}_${row.name}`;
    if (file === undefined) {
      return refuse("migration_missing", `${label} was applied to this database but its file is missing`);
    }
    if (file.checksum !== row.checksum || file.name !== row.name || file.variant !== row.variant) {
      return refuse("migration_edited", `${label} was edited after it had been applied: restore it and add a new file`);
    }
  }
  const pending = wanted.filter((migration) => !applied.some((row) => row.version === migration.version));
  const newest = Math.max(0, ...applied.map((row) => row.version));
  const late = pending.find((migration) => migration.version < newest);
  if (late !== undefined) {
    return refuse("migration_missing", `migration ${late.version} was never applied although ${newest} was`);
  }
  return ok(pending);
}

function refuse(
  code: MigrationRefusal["code"],
  message: string,
): { readonly ok: false; readonly error: MigrationRefusal } {
  return err({ code, message });
}
