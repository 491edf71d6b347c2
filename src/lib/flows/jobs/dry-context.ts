import type { R2Bucket } from "@cloudflare/workers-types";
import type { Sql } from "../../db/sql.ts";

/** Thrown where a dry run would write: the job is wrong, and nothing was written. */
export class DryRunWrite extends Error {
  override readonly name = "DryRunWrite";
}

/** Parts of a context that can change something. */
interface Writing {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly databases?: ReadonlyMap<string, Sql>;
}

/** Of a bucket, here or at a second remote. */
const READING_CALLS: ReadonlySet<PropertyKey> = new Set(["get", "head", "list"]);

/**
 * The same context for a dry run: Postgres itself refuses writes in a read-only transaction, the bucket and a second remote only read, queues take nothing.
 */
export function dryContext<C extends Writing>(context: C): C {
  const refused = { embedQueue: refusingPort, sealQueue: refusingPort };
  const queues = Object.fromEntries(Object.entries(refused).filter(([name]) => name in context));
  const databases = context.databases === undefined ? {} : { databases: readOnlyDatabases(context.databases) };
  const remote = "remote" in context && isObject(context.remote) ? { remote: readOnly(context.remote) } : {};
  const { sql, bucket } = context;
  return { ...context, ...queues, ...databases, ...remote, sql: readOnlySql(sql), bucket: readOnly(bucket) };
}

function readOnlyDatabases(databases: ReadonlyMap<string, Sql>): ReadonlyMap<string, Sql> {
  return new Map([...databases].map(([name, sql]) => [name, readOnlySql(sql)]));
}

function readOnlySql(sql: Sql): Sql {
  return {
    transaction: (scope, statements, options) => sql.transaction(scope, statements, { ...options, readOnly: true }),
    async query(statement, options) {
      const rows = await sql.transaction({ tenantId: "", userId: "" }, [statement], { ...options, readOnly: true });
      return rows.ok ? { ok: true, value: rows.value[0] ?? [] } : rows;
    },
  };
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function readOnly<T extends object>(store: T): T {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      if (!READING_CALLS.has(name)) return refuse;
      return (...args: unknown[]): unknown => Reflect.apply(member, target, args);
    },
  });
}

const refuse = (): Promise<never> => Promise.reject(new DryRunWrite("a dry run writes nothing"));
const refusingPort = { send: refuse, sendBatch: refuse };
