import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import type { PackRecord } from "../../src/lib/contract/pack-record.ts";
import { ulidTimeMs } from "../../src/lib/base/ids.ts";
import { tenantPolicySchema } from "../../src/lib/contract/policy.ts";
import type { WalDocument } from "../../src/lib/contract/wal-record.ts";
import { awaitWrites } from "../../src/lib/flows/await-writes.ts";
import { batchStatus } from "../../src/lib/flows/batch-status.ts";
import { dictionaryKey } from "../../src/lib/flows/dictionaries/dictionary-object.ts";
import { buryRange } from "../../src/lib/flows/indexing/bury-range.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { openTenantPack } from "../../src/lib/flows/packs/open-tenant-pack.ts";
import { PACK_JOB } from "../../src/lib/flows/packs/pack-job.ts";
import { readStoredDocument } from "../../src/lib/flows/packs/read-stored-document.ts";
import { rescanPii } from "../../src/lib/flows/rescan-pii.ts";
import { RETURN_DUPLICATES_JOB } from "../../src/lib/flows/return-duplicates-job.ts";
import { storeRequest } from "../../src/lib/flows/store-request.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { trainDictionary } from "../../src/lib/zstd/train-dictionary.ts";
import type { ZstdDictionary } from "../../src/lib/zstd/zstd-dictionary.ts";
import { expectOk, statement } from "../support/database.ts";
import { conversation } from "../support/pack-records.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { zstdModule } from "../support/zstd-module.ts";
import { CrashPoint } from "./support/crashing.ts";
import { eraseWhole } from "./support/erasures.ts";
import { FIRST_RUN, runTicked } from "./support/run-ticked.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

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

/** The same without those that a removal has marked: the job of snapshots deletes them. */
async function unmarkedUnder(world: World, prefix: string): Promise<readonly string[]> {
  const marked = new Set((await keysUnder(world, `removals/${prefix}`)).map((key) => key.slice("removals/".length)));
  return (await keysUnder(world, prefix)).filter((key) => !marked.has(key));
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

function trainedDictionary(): ZstdDictionary {
  const samples = conversation(1_500).map((record) => new TextEncoder().encode(record.text ?? ""));
  return expectOk(trainDictionary(zstdModule(), samples, { level: 19, bytesMax: 4_096 }));
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

  /** A tenant whose only WAL objects are past their days and gone. */
  async function withoutWal(documents: readonly DocumentInput[], policy: object = {}): Promise<string> {
    const tenantId = newTenant();
    await setPolicy(tenantId, { retention: { wal_days: 7 }, ...policy });
    await applied(tenantId, documents);
    world.nowMs += 8 * DAY_MS;
    expect(await run(world)).toMatchObject({ failures: {}, keptWal: { unpacked: 0 } });
    expect(await keysUnder(world, `wal/${tenantId}/`)).toEqual([]);
    return tenantId;
  }

  it("removes WAL objects past the days of the policy, and the store goes on as before", async () => {
    const tenantId = newTenant();
    await setPolicy(tenantId, { retention: { wal_days: 7 } });
    const documents = documentsOf(["a", "b"]);
    const walId = await world.ingest(tenantId, documents, { key: "once" });
    const [message] = world.take();
    if (message === undefined) throw new Error("nothing was sent");
    expectOk(await indexRange(world.context(), message));
    world.nowMs += 2 * HOUR_MS;
    expect(await run(world)).toMatchObject({ packCount: 1, removedWalCount: 0 });
    world.nowMs += 8 * DAY_MS;
    expect(await run(world, { isDryRun: true })).toMatchObject({ removedWalCount: 1 });
    expect(await keysUnder(world, `wal/${tenantId}/`)).toHaveLength(1);
    expect(await run(world)).toMatchObject({ removedWalCount: 1 });
    expect(await keysUnder(world, `wal/${tenantId}/`)).toEqual([]);

    const before = await world.rows(
      tenantId,
      "select document_uid, version_key, generation::text from documents order by 1",
    );
    const again = expectOk(await indexRange(world.context(), message));
    expect(again).toMatchObject({ alreadyApplied: true });
    const unknown = { ...message, range_index: 7 };
    expect(await indexRange(world.context(), unknown)).toMatchObject({ ok: false, error: { code: "wal_missing" } });
    expect(await world.ingest(tenantId, documents, { key: "once" })).toBe(walId);
    expect(world.take()).toEqual([]);
    expect(await keysUnder(world, `wal/${tenantId}/`)).toEqual([]);
    const wait = { tenantId, tokens: [walId], waitMs: 1 };
    const waited = await awaitWrites({ ...world.context(), sleep: async () => undefined }, wait);
    expect(expectOk(waited).caughtUp).toBe(true);
    const status = expectOk(await batchStatus(world.context(), { tenantId, batchTag: walId }));
    expect(status).toMatchObject({ state: "done", document_count: 2, pending_count: 0 });
    const after = await world.rows(
      tenantId,
      "select document_uid, version_key, generation::text from documents order by 1",
    );
    expect(after).toEqual(before);
    expect(await run(world)).toMatchObject({ packCount: 0, removedWalCount: 0, failures: {} });
  });

  it("keeps a WAL object with work that waits, a dead range, an undecided input or a text that is in no pack", async () => {
    const tenantId = newTenant();
    await setPolicy(tenantId, { retention: { wal_days: 7 } });
    await applied(tenantId, [...documentsOf(["sound"]), { id: "held", text: "noise ".repeat(400) }]);
    await world.ingest(tenantId, documentsOf(["dead"]));
    for (const message of world.take())
      expectOk(await buryRange(world.context(), { message, queue: "embed", code: "wal_damaged", attempts: 1 }));
    await world.ingest(tenantId, documentsOf(["waiting"]));
    world.take();
    const [held] = await world.rows(tenantId, "select count(*)::int as n from quarantine where state = 'held'");
    expect(held).toEqual({ n: 1 });
    world.nowMs += 8 * DAY_MS;
    const kept = { unapplied: 1, dead: 1, undecided: 1, unpacked: 0 };
    expect(await run(world)).toMatchObject({ packCount: 1, removedWalCount: 0, keptWal: kept });
    expect(await keysUnder(world, `wal/${tenantId}/`)).toHaveLength(3);
    await world.rows(tenantId, "update quarantine set state = 'purged'");
    await world.rows(
      tenantId,
      "delete from artifact_members where document_uid in (select document_uid from documents)",
    );
    expect(await run(world)).toMatchObject({ removedWalCount: 0, keptWal: { ...kept, undecided: 0, unpacked: 1 } });
    expect(await run(world)).toMatchObject({ packCount: 1, removedWalCount: 1, keptWal: { unapplied: 1, dead: 1 } });
  });

  it("has a rescan find the texts of packs, and a return of duplicates too", async () => {
    const mail = "wing.person@example.org";
    const text = `${textOf("a")} Write to ${mail} about it.`;
    const tenantId = await withoutWal(
      [
        { id: "mail", text, occurred_at: "2026-01-02T03:04:05Z" },
        { id: "copy", text },
      ],
      { pii: { enabled: false } },
    );
    await setPolicy(tenantId, { pii: { actions: { EMAIL_ADDRESS: "redact" } } });
    await world.rows(tenantId, "update documents set pii_version = '0'");
    const page = { after: null, limit: 100, dry_run: false, with_total: false };
    const rescanned = await rescanPii(world.context(), principalOf(tenantId), page);
    expect(expectOk(rescanned)).toMatchObject({ redacted_count: 1, failed_count: 0 });
    await world.indexQueued();
    const [row] = await world.rows(
      tenantId,
      `select d.document_id, d.occurred_at, d.generation::int, string_agg(e.text, ' ') as text from documents d
         join doc_embeddings e using (tenant_id, document_uid) group by 1, 2, 3`,
    );
    expect(row).toMatchObject({ document_id: "mail", generation: 2, occurred_at: new Date("2026-01-02T03:04:05Z") });
    expect(String(row?.["text"])).toContain("[EMAIL_ADDRESS_1]");
    expect(String(row?.["text"])).not.toContain(mail);

    await world.rows(tenantId, "delete from document_signatures");
    await world.rows(tenantId, "update documents set updated_at = now() - interval '1 day'");
    const returned = await runTicked(world.context(), RETURN_DUPLICATES_JOB);
    expect(expectOk(returned).report).toMatchObject({ failedCount: 0 });
    await world.indexQueued();
    const copies = await world.rows(
      tenantId,
      "select chunk_count > 0 as is_whole from documents where document_id = 'copy'",
    );
    expect(copies).toEqual([{ is_whole: true }]);
  });

  it("keeps what was said before an event and how it was admitted, also with a dictionary", async () => {
    const tenantId = newTenant();
    await setPolicy(tenantId, { retention: { wal_days: 7 } });
    const dictionary = trainedDictionary();
    await world.bucket.put(dictionaryKey(tenantId, dictionary.id), dictionary.bytes);
    const insert =
      "insert into dictionaries (tenant_id, dictionary_id, is_current, has_object) values ($1, $2, true, true)";
    await world.rows(tenantId, insert, tenantId, dictionary.id);
    const walId = world.context().newUlid();
    const documents = [1, 2].map((seq, index): WalDocument => ({
      document_index: index,
      document_id: `talk/${seq}`,
      user_id: "ann",
      tier: "event",
      source: "session",
      title: "",
      metadata: { session_id: "talk", seq, role: "user", speaker: "Ann" },
      occurred_at_ms: world.nowMs,
      text: textOf(`token ${seq}`),
      context: "Jeeves: Shall I look at the flow?",
      series: "talk",
      series_position: seq,
      verdict: "accepted",
      reasons: [{ code: "short_text", measure: 3 }],
      curation: { language: "en", pii_counts: { EMAIL_ADDRESS: 1 } },
    }));
    const head = {
      version: 1 as const,
      tenant_id: tenantId,
      wal_id: walId,
      batch_tag: "talk",
      received_at_ms: ulidTimeMs(walId),
      request_id: "packed",
      gate_version: "g",
      pii_version: "p",
      policy_version: 3,
      duplicates: "near" as const,
      origin: "session" as const,
    };
    expectOk(await storeRequest(world.context(), { head, documents, textBytes: [28, 28], replayed: false }));
    await world.indexQueued();
    const read = (documentIndex: number) =>
      readStoredDocument(world.context(), { key: walKey(tenantId, walId), documentIndex });
    const before = [expectOk(await read(0)), expectOk(await read(1))];
    expect(before).toEqual(documents.map((document) => ({ head, document })));
    world.nowMs += 8 * DAY_MS;
    expect(await run(world)).toMatchObject({ failures: {} });
    expect(await keysUnder(world, `wal/${tenantId}/`)).toEqual([]);
    expect([expectOk(await read(0)), expectOk(await read(1))]).toEqual(before);
    expect(await read(2)).toMatchObject({ ok: false, error: { code: "wal_missing" } });
    const [artifact] = await world.rows(tenantId, "select dictionary_id from artifacts where kind = 'pack'");
    expect(artifact).toEqual({ dictionary_id: dictionary.id });
    const [record] = await packedRecords(world, tenantId);
    const [row] = await world.rows(
      tenantId,
      "select encode(content_hash, 'hex') as hash, (select encode(chunk_hash, 'hex') from doc_embeddings e where e.document_uid = d.document_uid and chunk_index = 0) as chunk_hash from documents d where document_id = 'talk/1'",
    );
    expect(row).toEqual({ hash: record?.content_hash, chunk_hash: record?.chunks[0]?.chunk_hash });
  });

  it("leaves no byte of an erased user in any pack, and the records of others as they were", async () => {
    const tenantId = await withoutWal([
      ...documentsOf(["a", "b"], { user_id: "ann", text: `quillon marzipan ${textOf("x")}` }),
      ...documentsOf(["c", "d"], { user_id: "bob" }),
      ...documentsOf(["shared"]),
    ]);
    const former = await keysUnder(world, `packs/${tenantId}/`);
    const others = (await packedRecords(world, tenantId)).filter(({ user_id: userId }) => userId !== "ann");
    expect(others).toHaveLength(3);
    const certificate = await eraseWhole(world, { tenantId, userId: "ann" });
    expect(certificate.places).toMatchObject({ documents: { before: 2 }, pack_texts: { before: 2, after: 0 } });
    expect(await packedRecords(world, tenantId)).toEqual(others);
    const objects = await keysUnder(world, `packs/${tenantId}/`);
    expect(objects).toHaveLength(1);
    expect(objects).not.toEqual(former);
    const members = await world.rows(
      tenantId,
      `select m.position::int, m.user_id from artifact_members m join artifacts a using (tenant_id, artifact_id) where a.kind = 'pack' order by 1`,
    );
    expect(members).toEqual([
      { position: 0, user_id: "" },
      { position: 1, user_id: "bob" },
      { position: 2, user_id: "bob" },
    ]);
    const again = await eraseWhole(world, { tenantId, userId: "ann" });
    expect(again.places).toMatchObject({ pack_texts: { before: 0 } });
  });

  it("registers no pack of a user who was erased while it was made", async () => {
    const tenantId = newTenant();
    await applied(tenantId, [...documentsOf(["a"], { user_id: "ann" }), ...documentsOf(["b"], { user_id: "bob" })]);
    world.nowMs += 2 * HOUR_MS;
    const context = world.context();
    let isErased = false;
    const erasing = {
      ...context,
      // Asked for when the records are read, and again when the pack is verified.
      loadZstd: async () => {
        if (!isErased) await eraseWhole(world, { tenantId, userId: "ann" });
        isErased = true;
        return context.loadZstd();
      },
    };
    const failed = expectOk(await runTicked(erasing, PACK_JOB));
    expect(failed).toMatchObject({ state: "failed", report: { failures: { user_erased: 1 } } });
    expect(await keysUnder(world, `packs/${tenantId}/`)).toEqual([]);
    expect(await run(world)).toMatchObject({ packCount: 1, packedDocumentCount: 1 });
  });

  it("is one effect when it fires twice at once", async () => {
    const tenantId = newTenant();
    await applied(tenantId, documentsOf(["a", "b", "c"]));
    world.nowMs += 2 * HOUR_MS;
    // Without the frame and its lease, as after a lost one.
    const twice = await Promise.all([
      PACK_JOB.run(world.context(), FIRST_RUN),
      PACK_JOB.run(world.context(), FIRST_RUN),
    ]);
    expect(Math.max(...twice.map(({ report }) => report.packedDocumentCount))).toBe(3);
    expect((await packedRecords(world, tenantId)).map(({ document_id: id }) => id)).toEqual(["a", "b", "c"]);
    expect(await keysUnder(world, `packs/${tenantId}/`)).toHaveLength(1);
  });

  it("makes small packs one, and writes a pack anew of which most holds no more", async () => {
    const tenantId = newTenant();
    for (let count = 0; count < 8; count += 1) {
      await applied(tenantId, documentsOf([`a-${count}`, `b-${7 - count}`]));
      world.nowMs += 2 * HOUR_MS;
      expect(await run(world)).toMatchObject({ packCount: 1, compactedPackCount: count === 7 ? 8 : 0, failures: {} });
    }
    const expected = ["a", "b"].flatMap((letter) => [0, 1, 2, 3, 4, 5, 6, 7].map((index) => `${letter}-${index}`));
    expect((await packedRecords(world, tenantId)).map(({ document_id: id }) => id)).toEqual(expected);
    expect(await keysUnder(world, `packs/${tenantId}/`)).toHaveLength(1);
    const walRows = await world.rows(tenantId, "select wal_key, document_index from documents order by document_id");
    await applied(tenantId, documentsOf(expected.slice(0, 12), { source: "changed" }));
    world.nowMs += 2 * HOUR_MS;
    expect(await run(world)).toMatchObject({ packCount: 1, compactedPackCount: 1, failures: {} });
    const left = await packedRecords(world, tenantId);
    expect(Object.fromEntries(left.map(({ document_id: id, source }) => [id, source]))).toEqual(
      Object.fromEntries(expected.map((id, index) => [id, index < 12 ? "changed" : "notes"])),
    );
    expect(left).toHaveLength(expected.length);
    for (const index of [0, 15]) {
      const row = walRows[index];
      const place = { key: String(row?.["wal_key"]), documentIndex: Number(row?.["document_index"]) };
      await world.bucket.delete(place.key);
      const read = await readStoredDocument(world.context(), place);
      if (index === 15) expect(expectOk(read).document.document_id).toBe(expected[15]);
      else expect(read).toMatchObject({ ok: false, error: { code: "wal_missing" } });
    }
  });
});

describe("a crash at any await of the pack job", () => {
  it("loses nothing: the next run packs each document once, and what it removes is in a pack", async () => {
    const world = await openWorld();
    world.nowMs = Date.now();
    const tenantId = newTenant();
    const scope = { tenantId, userId: "*" };
    const policy = JSON.stringify(tenantPolicySchema.parse({ retention: { wal_days: 1 } }));
    const insert = statement("insert into tenants (tenant_id, policy) values ($1, $2::jsonb)", tenantId, policy);
    expectOk(await world.database.ownerSql.transaction(scope, [insert]));
    const expected: string[] = [];
    let isThrough = false;
    for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += 1) {
      const id = `x-${String(callIndex).padStart(3, "0")}`;
      expected.push(id);
      await world.ingest(tenantId, documentsOf([id]));
      await world.indexQueued();
      world.nowMs += 2 * DAY_MS;
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      try {
        await runTicked(world.context(crash), PACK_JOB);
      } catch (error) {
        if (!crash.hasCrashed) throw error;
      }
      isThrough = !crash.hasCrashed;
      const expire = statement("update job_leases set expires_at = now() - interval '1 second'");
      expectOk(await world.database.ownerSql.transaction({ tenantId: "", userId: "" }, [expire]));
      expect({ callIndex, ...(await run(world)) }).toMatchObject({ callIndex, failures: {}, unreadableCount: 0 });
      const ids = (await packedRecords(world, tenantId)).map((record) => record.document_id).sort();
      expect({ callIndex, ids }).toEqual({ callIndex, ids: expected });
      expect({ callIndex, left: await unmarkedUnder(world, `wal/${tenantId}/`) }).toEqual({ callIndex, left: [] });
    }
    expect(isThrough).toBe(true);
    // Every object that is left is registered: what runs that died had written is gone, or was taken over.
    const registered = await world.rows(tenantId, "select object_key from artifacts where kind = 'pack' order by 1");
    expect(await unmarkedUnder(world, `packs/${tenantId}/`)).toEqual(registered.map((row) => row["object_key"]));
    expect(await keysUnder(world, "staging/")).toEqual([]);
    await world.close();
  });
});
