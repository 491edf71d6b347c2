import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import type { SnapshotKind, SnapshotManifest } from "../../../src/lib/contract/snapshot.ts";
import { readManifest, readPart } from "../../../src/lib/flows/snapshots/read-snapshots.ts";
import { SNAPSHOT_JOB } from "../../../src/lib/flows/snapshots/snapshot-job.ts";
import type { Sql } from "../../../src/lib/db/sql.ts";
import { expectOk, statement } from "../../support/database.ts";
import type { CrashPoint } from "./crashing.ts";
import { runTicked } from "./run-ticked.ts";
import { openWorld, type World, type WorldContext } from "./world.ts";

const reportSchema = z.object({
  taken: z.object({
    id: z.string().nullable(),
    kinds: z.array(z.string()),
    state: z.string(),
    partCount: z.int(),
    objectCount: z.int(),
  }),
  prunedCount: z.int(),
  removedCount: z.int(),
  heldCount: z.int(),
  heldBytes: z.int(),
});

/** A real bucket with what snapshots look at. */
export interface SnapshotWorld {
  readonly world: World;
  readonly bucket: R2Bucket;
  readonly contextOf: (crash?: CrashPoint) => WorldContext & { readonly databases: ReadonlyMap<string, Sql> };
  /** Nothing but the model is there, and no lease is held. */
  readonly clear: () => Promise<void>;
  readonly keysUnder: (prefix: string) => Promise<readonly string[]>;
  /** An object of the truth, as far as snapshots look at it. */
  readonly put: (key: string, bytes?: string) => Promise<unknown>;
  /** Objects that are written after this came to be after everything before it, by the clock of R2. */
  readonly passTime: () => Promise<void>;
  /** A tick of the schedule at the world's time. */
  readonly tick: (more?: { isDryRun?: boolean; crash?: CrashPoint }) => Promise<z.infer<typeof reportSchema>>;
  readonly idsOf: (kind: SnapshotKind) => Promise<readonly string[]>;
  /** The newest snapshot of a kind. */
  readonly newest: (kind?: SnapshotKind) => Promise<string>;
  readonly manifestOf: (kind: SnapshotKind, id: string) => Promise<SnapshotManifest>;
  /** Keys that a snapshot names, in its order. */
  readonly namedBy: (kind: SnapshotKind, id: string) => Promise<readonly string[]>;
  /** As if no snapshot had been taken. */
  readonly forgetSnapshots: () => Promise<void>;
}

const PREFIXES = ["snapshots/", "removals/", "wal/", "packs/", "segments/", "sessions/", "backups/", "erasures/"];

export async function openSnapshots(): Promise<SnapshotWorld> {
  const world = await openWorld();
  const { bucket } = world;
  const keysUnder = async (prefix: string): Promise<readonly string[]> => {
    const keys: string[] = [];
    for (let startAfter = ""; ; startAfter = keys.at(-1) ?? "") {
      const page = await bucket.list({ prefix, ...(startAfter === "" ? {} : { startAfter }) });
      keys.push(...page.objects.map(({ key }) => key));
      if (!page.truncated) return keys;
    }
  };
  const deleteAll = async (keys: readonly string[]): Promise<void> => {
    for (let from = 0; from < keys.length; from += 1_000) await bucket.delete(keys.slice(from, from + 1_000));
  };
  const contextOf: SnapshotWorld["contextOf"] = (crash) => {
    const context = world.context(crash);
    return { ...context, databases: new Map([["home", context.sql]]) };
  };
  const idsOf: SnapshotWorld["idsOf"] = async (kind) => {
    const prefix = `snapshots/${kind}/`;
    return (await keysUnder(prefix)).map((key) => key.slice(prefix.length, -".json".length));
  };
  const manifestOf: SnapshotWorld["manifestOf"] = async (kind, id) =>
    expectOk(await readManifest(bucket, { kind, id }));
  return {
    world,
    bucket,
    contextOf,
    clear: async () => {
      await deleteAll((await Promise.all(PREFIXES.map(keysUnder))).flat());
      const free = statement("delete from job_leases");
      expectOk(await world.database.ownerSql.transaction({ tenantId: "", userId: "" }, [free]));
    },
    keysUnder,
    put: (key, bytes = key) => bucket.put(key, bytes, { customMetadata: { hash: "00" } }),
    passTime: async () => {
      const writtenAtMs = async (): Promise<number> => (await bucket.put("clock", ""))?.uploaded.getTime() ?? 0;
      const firstMs = await writtenAtMs();
      for (let latestMs = firstMs; latestMs <= firstMs; latestMs = await writtenAtMs());
    },
    tick: async ({ isDryRun = false, crash } = {}) =>
      reportSchema.parse(expectOk(await runTicked(contextOf(crash), SNAPSHOT_JOB, { isDryRun })).report),
    idsOf,
    newest: async (kind = "hourly") => (await idsOf(kind)).at(-1) ?? "",
    manifestOf,
    namedBy: async (kind, id) => {
      const { parts } = await manifestOf(kind, id);
      const objects = await Promise.all(parts.map(async (part) => expectOk(await readPart(bucket, part))));
      return objects.flat().map(({ key }) => key);
    },
    forgetSnapshots: async () => deleteAll(await keysUnder("snapshots/")),
  };
}
