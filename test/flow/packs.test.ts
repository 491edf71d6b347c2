import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import type { PackRecord } from "../../src/lib/contract/pack-record.ts";
import { tenantPolicySchema } from "../../src/lib/contract/policy.ts";
import type { EmbedMessage } from "../../src/lib/contract/queue-message.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { openTenantPack } from "../../src/lib/flows/packs/open-tenant-pack.ts";
import { PACK_JOB } from "../../src/lib/flows/packs/pack-job.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { CrashPoint } from "./support/crashing.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, type World } from "./support/world.ts";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** Bounds the search for the last crash point. */
const CALLS_MAX = 120;

const reportSchema = z.object({
  packCount: z.int(),
  packedDocumentCount: z.int(),
  removedWalCount: z.int(),
  keptWal: z.object({ unapplied: z.int(), dead: z.int(), undecided: z.int(), unpacked: z.int() }),
  compactedPackCount: z.int(),
  orphanCount: z.int(),
  unreadableCount: z.int(),
  failures: z.record(z.string(), z.int()),
});
type Report = z.infer<typeof reportSchema>;

let tenantCount = 0;
function newTenant(): string {
  tenantCount += 1;
  return `packing-${String(tenantCount).padStart(3, "0")}`;
}

const textOf = (words: string): string =>
  ["boundary layer", "wing", "wake", "nozzle"]
    .map(
      (place) =>
        `The ${words} is in the ${place} of the jet, where nobody had looked for it, and stays there until the flow is steady again.`,
    )
    .join("\n\n");

const documentsOf = (names: readonly string[], more: Partial<DocumentInput> = {}): DocumentInput[] =>
  names.map((id) => ({ id, title: `On ${id}`, source: "notes", text: textOf(id), metadata: { n: 1, id }, ...more }));

async function run(world: World, more: { isDryRun?: boolean; crash?: CrashPoint } = {}): Promise<Report> {
  const ran = await runTicked(world.context(more.crash), PACK_JOB, { isDryRun: more.isDryRun ?? false });
  return reportSchema.parse(expectOk(ran).report);
}

async function keysUnder(world: World, prefix: string): Promise<readonly string[]> {
  return (await world.bucket.list({ prefix })).objects.map(({ key }) => key);
}

/** Every record of the packs that are registered. */
async function packedRecords(world: World, tenantId: string): Promise<readonly PackRecord[]> {
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

const backends = await availableBackends(["pglite", "native"]);

describe.each(backends)("the pack job on %s", (backend) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(backend);
    // Objects of R2 have the time of now.
    world.nowMs = Date.now();
  });
  afterAll(() => world?.close());

  async function applied(tenantId: string, documents: readonly DocumentInput[]): Promise<string> {
    const walId = await world.ingest(tenantId, documents);
    await world.indexQueued();
    return walId;
  }
  async function setPolicy(tenantId: string, policy: object): Promise<void> {
    const json = JSON.stringify(tenantPolicySchema.parse(policy));
    const text = `insert into tenants (tenant_id, policy) values ($1, $2::jsonb)
      on conflict (tenant_id) do update set policy = excluded.policy`;
    expectOk(await world.database.ownerSql.transaction({ tenantId, userId: "*" }, [statement(text, tenantId, json)]));
  }

  it("packs what has settled: rows and texts read from R2 alone are those of the store", async () => {
    const tenantId = newTenant();
    await applied(tenantId, [...documentsOf(["a", "b"]), ...documentsOf(["a"], { user_id: "ann" })]);
    expect(await run(world)).toMatchObject({ packCount: 0 });
    world.nowMs += 2 * HOUR_MS;
    expect(await run(world, { isDryRun: true })).toMatchObject({ packedDocumentCount: 3 });
    expect(await keysUnder(world, `packs/${tenantId}/`)).toEqual([]);
    expect(await run(world)).toMatchObject({ packCount: 1, packedDocumentCount: 3, removedWalCount: 0, failures: {} });

    const records = await packedRecords(world, tenantId);
    expect(records.map(({ user_id, document_id, text }) => [user_id, document_id, text])).toEqual([
      ["", "a", textOf("a")],
      ["", "b", textOf("b")],
      ["ann", "a", textOf("a")],
    ]);
    const rows = await world.rows(
      tenantId,
      `select document_uid, encode(content_hash, 'hex') as content_hash, version_key, wal_key, title, metadata, source, batch_tag, chunk_count,
         token_count, (extract(epoch from created_at) * 1000000)::bigint::text as created_at_us from documents order by user_id, document_id`,
    );
    const packed = records.map((record) => ({
      document_uid: record.document_uid,
      content_hash: record.content_hash,
      version_key: record.version_key,
      wal_key: record.wal_key,
      title: record.title,
      metadata: record.metadata,
      source: record.source,
      batch_tag: record.batch_tag,
      chunk_count: record.chunk_count,
      token_count: record.token_count,
      created_at_us: String(record.created_at_us),
    }));
    expect(packed).toEqual(rows);
    const chunks = await world.rows(
      tenantId,
      `select c.text, c.start_offset, c.end_offset, c.token_count, c.lexeme_count, encode(c.chunk_hash, 'hex') as chunk_hash, c.text_hash::text
         from doc_embeddings c join documents d using (tenant_id, document_uid) order by d.user_id, d.document_id, c.chunk_index`,
    );
    const packedChunks = records.flatMap((record) =>
      record.chunks.map(({ text, start_offset, end_offset, token_count, lexeme_count, chunk_hash, text_hash }) => ({
        text,
        start_offset,
        end_offset,
        token_count,
        lexeme_count,
        chunk_hash,
        text_hash: String(text_hash),
      })),
    );
    expect(packedChunks).toEqual(chunks);
    expect(chunks.length).toBeGreaterThan(3);

    const members = await world.rows(
      tenantId,
      "select m.position::int, m.user_id, d.document_id from artifact_members m join documents d using (tenant_id, document_uid) order by 1",
    );
    expect(members).toEqual(records.map(({ user_id, document_id }, position) => ({ position, user_id, document_id })));
    const [artifact] = await world.rows(
      tenantId,
      "select record_count::int, dictionary_id, user_id from artifacts where kind = 'pack'",
    );
    expect(artifact).toEqual({ record_count: 3, dictionary_id: null, user_id: "*" });
    expect(await run(world)).toMatchObject({ packCount: 0 });
  });
});
