/** Which database holds which tenant. Pure. */
import { z } from "zod";
import { sha256Sync } from "../base/hash.ts";
import { tenantIdSchema } from "../contract/scope.ts";

/** Slots that tenants hash into: fine enough to move a 256th of the tenants at a time, small enough to be written down. */
export const SLOTS = 256;
/** Databases beside the home one: each holds its own connection string in one variable of 5 KB. */
const SHARDS_MAX = 16;
/** Tenants placed by name: the variable's 5 KB hold about this many. */
const NAMED_TENANTS_MAX = 64;
/** The database of DATABASE_URL: it holds models, leases and runs of jobs, and every tenant that no other database has. */
export const HOME_SHARD = "home";

const shardNameSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
const slotSchema = z
  .int()
  .min(0)
  .max(SLOTS - 1);

const shardSchema = z.strictObject({
  database_url: z.string().regex(/^postgres(ql)?:\/\//),
  /** The same database with the password that comes next, while it is changed. */
  database_url_next: z
    .string()
    .regex(/^postgres(ql)?:\/\//)
    .optional(),
  sql_fetch_endpoint: z.url().optional(),
  /** First and last slot of each stretch; none: the shard has the tenants that are named for it alone. */
  slots: z
    .array(z.tuple([slotSchema, slotSchema]))
    .max(SLOTS)
    .default([]),
});

/** Value of DATABASE_SHARDS, as JSON: databases beside the home one, and tenants that lie elsewhere than their slot says. */
export const shardMapSchema = z
  .strictObject({
    shards: z.record(shardNameSchema, shardSchema),
    tenants: z.record(tenantIdSchema, shardNameSchema).default({}),
  })
  .check(({ value, issues }) => {
    for (const message of faultsOf(value)) issues.push({ code: "custom", message, input: undefined });
  });
export type ShardMap = z.infer<typeof shardMapSchema>;

interface Declared {
  readonly shards: Readonly<Record<string, { readonly slots: readonly (readonly [number, number])[] }>>;
  readonly tenants: Readonly<Record<string, string>>;
}

function faultsOf({ shards, tenants }: Declared): readonly string[] {
  const faults: string[] = [];
  if (HOME_SHARD in shards) faults.push(`${HOME_SHARD} is the database of DATABASE_URL`);
  if (Object.keys(shards).length > SHARDS_MAX) faults.push(`at most ${SHARDS_MAX} shards`);
  if (Object.keys(tenants).length > NAMED_TENANTS_MAX) faults.push(`at most ${NAMED_TENANTS_MAX} tenants by name`);
  const owners = new Set<number>();
  for (const [first, last] of Object.values(shards).flatMap(({ slots }) => slots)) {
    if (first > last) faults.push("a stretch of slots ends before it begins");
    for (let slot = first; slot <= last; slot++) {
      if (owners.has(slot)) faults.push(`slot ${slot} has two shards`);
      owners.add(slot);
    }
  }
  const unknown = Object.values(tenants).some((name) => name !== HOME_SHARD && !(name in shards));
  return unknown ? [...faults, "a tenant lies on a shard that is not declared"] : faults;
}

/** The slot of a tenant: the first byte of the SHA-256 of its id, so that any other program finds it too. */
export function slotOf(tenantId: string): number {
  return sha256Sync(tenantId)[0] ?? 0;
}

/** Name of the shard that holds the tenant: by name, else by slot, else home. */
export function shardOf(map: ShardMap, tenantId: string): string {
  const named = Object.hasOwn(map.tenants, tenantId) ? map.tenants[tenantId] : undefined;
  if (named !== undefined) return named;
  const slot = slotOf(tenantId);
  const owner = Object.entries(map.shards).find(([, shard]) =>
    shard.slots.some(([first, last]) => first <= slot && slot <= last),
  );
  return owner?.[0] ?? HOME_SHARD;
}
