/** The port between the HTTP side of the local `/sql` endpoint and the Postgres behind it. */
import type { Result } from "../../lib/base/result.ts";

/** Parameters are Postgres text or null, as on the wire. */
export interface WireStatement {
  readonly text: string;
  readonly params: readonly (string | null)[];
}

export interface BatchOptions {
  readonly isolation?: "ReadUncommitted" | "ReadCommitted" | "RepeatableRead" | "Serializable";
  readonly readOnly: boolean;
  readonly deferrable: boolean;
}

/** Who asks, decoded from the connection string of the request. */
export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface SqlJob {
  readonly login: Login;
  readonly statements: readonly WireStatement[];
  /** Present: one transaction. Absent: exactly one statement outside any. */
  readonly batch?: BatchOptions;
  readonly signal: AbortSignal;
  /** Characters of row text allowed over all results. */
  readonly resultSizeMax: number;
}

export interface Field {
  readonly name: string;
  readonly dataTypeID: number;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
  readonly format: "text";
}

/** A column of a result, without what else a driver says of it. */
export function fieldOf(field: Omit<Field, "format">): Field {
  const { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier } = field;
  return { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier, format: "text" };
}

export interface StatementResult {
  readonly fields: readonly Field[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly command: string;
  readonly rowCount: number | null;
}

/** Every field that Neon's proxy passes on from a Postgres error. */
type DatabaseErrorField =
  | "code"
  | "detail"
  | "hint"
  | "position"
  | "internalPosition"
  | "internalQuery"
  | "severity"
  | "where"
  | "table"
  | "column"
  | "schema"
  | "dataType"
  | "constraint"
  | "file"
  | "line"
  | "routine";

export type DatabaseErrorFields = { readonly message: string } & {
  readonly [name in DatabaseErrorField]: string | null;
};

export type BackendError =
  | { readonly reason: "database"; readonly fields: DatabaseErrorFields }
  | { readonly reason: "too_large" }
  | { readonly reason: "unreachable" }
  | { readonly reason: "cancelled" };

/** `run` leaves no transaction, setting, role or lock of its job to the next one, whatever happened. */
export interface SqlBackend {
  readonly name: "pglite" | "postgres";
  run(job: SqlJob): Promise<Result<readonly StatementResult[], BackendError>>;
  close(): Promise<void>;
}

/** What Neon's proxy runs on a connection before it lends it again; `sessionUser` is a quoted name or `default`. */
export function sessionResetSql(sessionUser: string): string {
  return (
    `rollback; close all; set session authorization ${sessionUser}; reset all; deallocate all; unlisten *; ` +
    "select pg_advisory_unlock_all(); discard temp; discard sequences"
  );
}

const ISOLATION_SQL = {
  ReadUncommitted: "read uncommitted",
  ReadCommitted: "read committed",
  RepeatableRead: "repeatable read",
  Serializable: "serializable",
} as const;

/** The `begin` of a batch. */
export function beginSql(batch: BatchOptions): string {
  const isolation = batch.isolation === undefined ? "" : ` isolation level ${ISOLATION_SQL[batch.isolation]}`;
  return `begin${isolation}${batch.readOnly ? " read only" : ""}${batch.deferrable ? " deferrable" : ""}`;
}

/** First word and row count of a command tag such as `INSERT 0 5`, cut the way Neon's proxy cuts it. */
export function splitCommandTag(tag: string): Pick<StatementResult, "command" | "rowCount"> {
  const words = tag.split(" ");
  const command = words[0] ?? "";
  const count = words[command === "INSERT" ? 2 : 1];
  return { command, rowCount: count !== undefined && /^\d+$/.test(count) ? Number(count) : null };
}

/** The error fields of anything that carries them; what is missing is null. */
export function databaseErrorFields(error: Error): DatabaseErrorFields {
  const field = (name: string): string | null => {
    const value: unknown = Reflect.get(error, name);
    return typeof value === "string" ? value : null;
  };
  return {
    message: error.message,
    code: field("code"),
    detail: field("detail"),
    hint: field("hint"),
    position: field("position"),
    internalPosition: field("internalPosition"),
    internalQuery: field("internalQuery"),
    severity: field("severity"),
    where: field("where"),
    table: field("table"),
    column: field("column"),
    schema: field("schema"),
    dataType: field("dataType"),
    constraint: field("constraint"),
    file: field("file"),
    line: field("line"),
    routine: field("routine"),
  };
}

/** An error made here in the shape of one of Postgres. */
export function syntheticDatabaseError(severity: "ERROR" | "FATAL", code: string, message: string): BackendError {
  return { reason: "database", fields: { ...databaseErrorFields(new Error(message)), severity, code } };
}
