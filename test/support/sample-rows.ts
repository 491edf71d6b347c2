/** Makes a valid row for any table from the catalog, so that a suite covers tables nobody told it about. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Sql, Statement } from "../../src/lib/db/sql.ts";
import { expectOk, statement } from "./database.ts";

interface Column {
  readonly name: string;
  readonly type: string;
}

export interface Table {
  readonly name: string;
  /** Those an insert has to give: not null and without default. */
  readonly required: readonly Column[];
  readonly columns: readonly string[];
}

const columnsSchema = z.array(z.object({ name: z.string(), type: z.string(), required: z.boolean() }));

/** Every table of the schema apart from partitions, by name. */
export async function tablesOf(sql: Sql): Promise<readonly Table[]> {
  const rows = expectOk(
    await sql.query(
      statement(`
        select c.relname as table, json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, null),
          'required', a.attnotnull and not a.atthasdef and a.attidentity = '') order by a.attnum) as columns
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
        group by c.relname order by c.relname`),
    ),
  );
  return rows.map((row) => {
    const columns = columnsSchema.parse(row["columns"]);
    return {
      name: String(row["table"]),
      required: columns.filter(({ required }) => required),
      columns: columns.map(({ name }) => name),
    };
  });
}

/** Columns whose values a check constraint lists. */
const VALUE_OF_COLUMN: Readonly<Record<string, string>> = {
  tier: "doc",
  outcome: "indexed",
  state: "applied",
  kind: "report",
  scopes: "{search}",
};

let lastNumber = 1;

function sampleValue({ name, type }: Column): string {
  const listed = VALUE_OF_COLUMN[name];
  if (listed !== undefined) return listed;
  switch (type) {
    case "text":
      return `sample-${randomUUID()}`;
    case "integer":
    case "bigint":
      return String(++lastNumber);
    case "uuid":
      return randomUUID();
    case "bytea":
      return `\\x${randomUUID().replaceAll("-", "").repeat(2)}`;
    case "jsonb":
      return "[]";
    case "timestamp with time zone":
      return "2026-01-01T00:00:00Z";
    case "halfvec":
      return "[0.6,0.8]";
    case "sparsevec":
      return "{1:1}/16";
    default:
      throw new Error(`no sample value for the type ${type} of column ${name}`);
  }
}

/** An insert of one valid row with these values; those of columns the table does not have are left out. */
export function insertSample(table: Table, given: Readonly<Record<string, string>>): Statement {
  const values = new Map(table.required.map((column) => [column.name, sampleValue(column)]));
  for (const [name, value] of Object.entries(given)) if (table.columns.includes(name)) values.set(name, value);
  const names = [...values.keys()];
  return statement(
    `insert into ${table.name} (${names.join(", ")}) values (${names.map((_, i) => `$${i + 1}`).join(", ")})`,
    ...values.values(),
  );
}
