/** Several databases behind one port: each transaction goes to the database of its tenant. */
import { HOME_SHARD, shardOf, type ShardMap } from "./shard-map.ts";
import type { Sql } from "./sql.ts";

export interface Shards {
  readonly map: ShardMap;
  readonly home: Sql;
  /** By the names of the map, without home. */
  readonly others: ReadonlyMap<string, Sql>;
}

/** Tenants that are no tenants: their rows (dead letters of unreadable messages) belong to the system. */
const SYSTEM_TENANTS: ReadonlySet<string> = new Set(["", "system"]);

/**
 * Makes the port. The scope of a transaction names its tenant, and every row of a tenant is read and written in a scope: so routing needs to know
 * nothing else, and no transaction spans two databases. What has no tenant (models, jobs, statements without a scope) is at home.
 */
export function createShardedSql({ map, home, others }: Shards): Sql {
  return {
    transaction: (scope, statements, options) => {
      const name = SYSTEM_TENANTS.has(scope.tenantId) ? HOME_SHARD : shardOf(map, scope.tenantId);
      return (others.get(name) ?? home).transaction(scope, statements, options);
    },
    query: (statement, options) => home.query(statement, options),
  };
}
