/** A tenant's packs in the flow suites: what is sent, packed, and read back from R2 alone. */
import { expect } from "vitest";
import { z } from "zod";
import { DAY_MS } from "../../../src/lib/base/durations.ts";
import type { DocumentInput } from "../../../src/lib/contract/document.ts";
import type { PackRecord } from "../../../src/lib/contract/pack-record.ts";
import { tenantPolicySchema } from "../../../src/lib/contract/policy.ts";
import { openTenantPack } from "../../../src/lib/flows/packs/open-tenant-pack.ts";
import { PACK_JOB } from "../../../src/lib/flows/packs/pack-job.ts";
import { trainDictionary } from "../../../src/lib/zstd/train-dictionary.ts";
import type { ZstdDictionary } from "../../../src/lib/zstd/zstd-dictionary.ts";
import { expectOk, statement } from "../../support/database.ts";
import { conversation } from "../../support/pack-records.ts";
import { zstdModule } from "../../support/zstd-module.ts";
import type { CrashPoint } from "./crashing.ts";
import { runTicked } from "./run-ticked.ts";
import type { TestBackend } from "../../support/postgres-servers.ts";
import { openWorld, type World } from "./world.ts";

const reportSchema = z.object({
  packCount: z.int(),
  packedDocumentCount: z.int(),
  removedWalCount: z.int(),
  keptWal: z.object({ unapplied: z.int(), dead: z.int(), undecided: z.int(), unpacked: z.int() }),
  compactedPackCount: z.int(),
  orphanCount: z.int(),
  adoptedPackCount: z.int(),
  unreadableCount: z.int(),
  failures: z.record(z.string(), z.int()),
});
type Report = z.infer<typeof reportSchema>;

let tenantCount = 0;
export function newTenant(): string {
  tenantCount += 1;
  return `packing-${String(tenantCount).padStart(3, "0")}`;
}

/** Four paragraphs, each more than a chunk of the small model. */
export const textOf = (words: string): string =>
  ["boundary layer", "wing", "wake", "nozzle"]
    .map(
      (place) =>
        `The ${words} is in the ${place} of the jet, where nobody had looked for it, and stays there until the flow is steady again.`,
    )
    .join("\n\n");

export const documentsOf = (names: readonly string[], more: Partial<DocumentInput> = {}): DocumentInput[] =>
  names.map((id) => ({ id, title: `On ${id}`, source: "notes", text: textOf(id), metadata: { n: 1, id }, ...more }));

/** One run of the job, as a tick starts it. */
export async function runPack(world: World, more: { isDryRun?: boolean; crash?: CrashPoint } = {}): Promise<Report> {
  const ran = await runTicked(world.context(more.crash), PACK_JOB, { isDryRun: more.isDryRun ?? false });
  return reportSchema.parse(expectOk(ran).report);
}

/** A world of now: objects of R2 have the real time, and the age of some is looked at. */
export async function openWorldOfNow(backend?: TestBackend): Promise<World> {
  const world = await openWorld(backend);
  world.nowMs = Date.now();
  return world;
}

/** Sends documents and applies them. */
export async function applied(world: World, tenantId: string, documents: readonly DocumentInput[]): Promise<string> {
  const walId = await world.ingest(tenantId, documents);
  await world.indexQueued();
  return walId;
}

export async function setPolicy(world: World, tenantId: string, policy: object): Promise<void> {
  const json = JSON.stringify(tenantPolicySchema.parse(policy));
  const text = `insert into tenants (tenant_id, policy) values ($1, $2::jsonb)
    on conflict (tenant_id) do update set policy = excluded.policy`;
  expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [statement(text, tenantId, json)]));
}

/** A tenant whose WAL objects are past their days and gone. */
export async function withoutWal(
  world: World,
  documents: readonly DocumentInput[],
  policy: object = {},
): Promise<string> {
  const tenantId = newTenant();
  await setPolicy(world, tenantId, { retention: { wal_days: 7 }, ...policy });
  await applied(world, tenantId, documents);
  world.nowMs += 8 * DAY_MS;
  expect(await runPack(world)).toMatchObject({ failures: {}, keptWal: { unpacked: 0 } });
  expect(await keysUnder(world, `wal/${tenantId}/`)).toEqual([]);
  return tenantId;
}

export async function keysUnder(world: World, prefix: string): Promise<readonly string[]> {
  return (await world.bucket.list({ prefix })).objects.map(({ key }) => key);
}

/** The same without those that a removal has marked: the job of snapshots deletes them. */
export async function unmarkedUnder(world: World, prefix: string): Promise<readonly string[]> {
  const marked = new Set((await keysUnder(world, `removals/${prefix}`)).map((key) => key.slice("removals/".length)));
  return (await keysUnder(world, prefix)).filter((key) => !marked.has(key));
}

/** Every record of the packs that are registered. */
export async function packedRecords(world: World, tenantId: string): Promise<readonly PackRecord[]> {
  const packs = await world.rows(
    tenantId,
    "select object_key, size_bytes from artifacts where kind = 'pack' order by created_at, artifact_id",
  );
  const records: PackRecord[] = [];
  for (const pack of packs) {
    const place = { tenantId, key: String(pack["object_key"]), sizeBytes: Number(pack["size_bytes"]) };
    const reader = expectOk(await openTenantPack(world.context(), place));
    for (const block of reader.footer.blocks.keys()) records.push(...expectOk(await reader.readBlock(block)));
  }
  return records;
}

export function trainedDictionary(): ZstdDictionary {
  const samples = conversation(1_500).map((record) => new TextEncoder().encode(record.text ?? ""));
  return expectOk(trainDictionary(zstdModule(), samples, { level: 19, bytesMax: 4_096 }));
}
