import { z } from "zod";
import type { Sql } from "../../src/lib/db/sql.ts";
import { expectOk, statement } from "../../test/support/database.ts";

const rowSchema = z.object({
  name: z.string(),
  kind: z.string(),
  row_count: z.number(),
  size_bytes: z.coerce.number(),
});

/** Tables and indexes of a megabyte and more, the largest first, with their estimated rows. */
export async function readSizes(ownerSql: Sql): Promise<z.infer<typeof rowSchema>[]> {
  const rows = expectOk(
    await ownerSql.query(
      statement(`select c.relname as name, case c.relkind when 'i' then 'index' else 'table' end as kind, c.reltuples::float8 as row_count,
          pg_relation_size(c.oid) as size_bytes
        from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'i') and pg_relation_size(c.oid) >= 1048576
        order by pg_relation_size(c.oid) desc`),
    ),
  );
  return rows.map((row) => rowSchema.parse(row));
}
