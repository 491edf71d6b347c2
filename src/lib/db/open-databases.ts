/** From connection strings to ports: one database or several, each under one credential or two. */
import { createNeonSql, type NeonSqlOptions } from "./neon-sql.ts";
import { createRotatingSql } from "./rotating-sql.ts";
import { HOME_SHARD, type ShardMap } from "./shard-map.ts";
import { createShardedSql } from "./sharded-sql.ts";
import type { Sql } from "./sql.ts";

export interface DatabaseOptions {
  readonly connectionString: string;
  /** The same database with the password that comes next, while it is changed. */
  readonly nextConnectionString?: string | undefined;
  /** Full URL of another `/sql` endpoint than Neon's. */
  readonly fetchEndpoint?: string | undefined;
}

type Opening = Pick<NeonSqlOptions, "timeoutMs" | "applicationName">;

export interface Databases {
  /** Finds the database of each tenant by itself. */
  readonly sql: Sql;
  /** Each database by the name of its shard, home first: for what is asked of all of them. */
  readonly byShard: ReadonlyMap<string, Sql>;
}

/** Opens the home database and, where there is a map, the others. No connection is made before the first call. */
export function openDatabases(
  home: DatabaseOptions,
  {
    map,
    timeoutMs,
    applicationName,
    wrap = (sql) => sql,
  }: {
    readonly map?: ShardMap | undefined;
    readonly timeoutMs: number;
    /** What each transaction is called. */
    readonly applicationName?: () => string | undefined;
    /** What stands around each database: a measure of its calls. */
    readonly wrap?: (sql: Sql) => Sql;
  },
): Databases {
  const opening = { timeoutMs, ...(applicationName === undefined ? {} : { applicationName }) };
  const homeSql = wrap(openDatabase(home, opening));
  if (map === undefined) return { sql: homeSql, byShard: new Map([[HOME_SHARD, homeSql]]) };
  const others = new Map(
    Object.entries(map.shards).map(([name, shard]) => {
      const options = {
        connectionString: shard.database_url,
        nextConnectionString: shard.database_url_next,
        fetchEndpoint: shard.sql_fetch_endpoint,
      };
      return [name, wrap(openDatabase(options, opening))];
    }),
  );
  return {
    sql: createShardedSql({ map, home: homeSql, others }),
    byShard: new Map([[HOME_SHARD, homeSql], ...others]),
  };
}

function openDatabase(options: DatabaseOptions, opening: Opening): Sql {
  const open = (connectionString: string): Sql =>
    createNeonSql({
      connectionString,
      ...opening,
      ...(options.fetchEndpoint === undefined ? {} : { fetchEndpoint: options.fetchEndpoint }),
    });
  const current = open(options.connectionString);
  const next = options.nextConnectionString;
  return next === undefined ? current : createRotatingSql([current, open(next)]);
}
