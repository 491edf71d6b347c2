import { z } from "zod";
import type { Statement } from "../sql.ts";

/**
 * Tables of the schema by name, with what the server counted of their rows, and whether this role may vacuum them: as their owner, or, from
 * PostgreSQL 17 on, by `grant maintain`.
 */
export const SELECT_TABLES: Statement = {
  text: `select c.relname as name, coalesce(s.n_live_tup, 0)::float8 as live_rows, coalesce(s.n_dead_tup, 0)::float8 as dead_rows,
           case when current_setting('server_version_num')::int >= 170000 then has_table_privilege(c.oid, 'MAINTAIN')
             else pg_has_role(c.relowner, 'USAGE') end as may_vacuum
         from pg_class c left join pg_stat_user_tables s on s.relid = c.oid
         where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace order by c.relname`,
  params: [],
};

export const tableRowSchema = z.object({
  name: z.string().regex(/^[a-z_][a-z0-9_]*$/),
  live_rows: z.number(),
  dead_rows: z.number(),
  may_vacuum: z.boolean(),
});
export type TableRow = z.infer<typeof tableRowSchema>;

/** Frees the room of dead rows and renews the planner's statistics, beside running reads and writes. The name comes from the catalogue. */
export function vacuumTable(name: string): Statement {
  return { text: `vacuum (analyze) ${name}`, params: [] };
}

/** Indexes that no query uses, because their build was cut off. */
export const SELECT_INVALID_INDEXES: Statement = {
  text: `select c.relname as name from pg_index x join pg_class c on c.oid = x.indexrelid
         where not (x.indisvalid and x.indisready) and c.relnamespace = current_schema()::regnamespace order by 1`,
  params: [],
};

export const indexNameRowSchema = z.object({ name: z.string() });

/** Whether vectors have a type of their own here: only those can have an HNSW index. */
export const SELECT_HAS_VECTOR: Statement = {
  text: "select exists (select from pg_extension where extname = 'vector') as has_vector",
  params: [],
};

export const hasVectorRowSchema = z.object({ has_vector: z.boolean() });
