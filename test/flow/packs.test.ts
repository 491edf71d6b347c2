import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS } from "../../src/lib/base/durations.ts";
import { tenantPolicySchema } from "../../src/lib/contract/policy.ts";
import { buryRange } from "../../src/lib/flows/indexing/bury-range.ts";
import { PACK_JOB } from "../../src/lib/flows/packs/pack-job.ts";
import { readStoredDocument } from "../../src/lib/flows/packs/read-stored-document.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { CrashPoint } from "./support/crashing.ts";
import {
  applied,
  documentsOf,
  keysUnder,
  newTenant,
  openWorldOfNow,
  packedRecords,
  runPack,
  setPolicy,
  textOf,
  unmarkedUnder,
} from "./support/packing.ts";
import { FIRST_RUN, runTicked } from "./support/run-ticked.ts";
import type { World } from "./support/world.ts";

const backends = await availableBackends(["pglite", "native"]);

describe.each(backends)("the pack job on %s", (backend) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorldOfNow(backend);
  });
  afterAll(() => world?.close());

  it("packs what has settled: rows and texts read from R2 alone are those of the store", async () => {
    const tenantId = newTenant();
    await applied(world, tenantId, [...documentsOf(["a", "b"]), ...documentsOf(["a"], { user_id: "ann" })]);
    expect(await runPack(world)).toMatchObject({ packCount: 0 });
    world.nowMs += 2 * HOUR_MS;
    expect(await runPack(world, { isDryRun: true })).toMatchObject({ packedDocumentCount: 3 });
    expect(await keysUnder(world, `packs/${tenantId}/`)).toEqual([]);
    expect(await runPack(world)).toMatchObject({
      packCount: 1,
      packedDocumentCount: 3,
      removedWalCount: 0,
      failures: {},
    });

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
    expect(await runPack(world)).toMatchObject({ packCount: 0 });
  });

  it("keeps a WAL object with work that waits, a dead range, an undecided input or a text that is in no pack", async () => {
    const tenantId = newTenant();
    await setPolicy(world, tenantId, { retention: { wal_days: 7 } });
    await applied(world, tenantId, [...documentsOf(["sound"]), { id: "held", text: "noise ".repeat(400) }]);
    await world.ingest(tenantId, documentsOf(["dead"]));
    for (const message of world.take())
      expectOk(await buryRange(world.context(), { message, queue: "embed", code: "wal_damaged", attempts: 1 }));
    await world.ingest(tenantId, documentsOf(["waiting"]));
    world.take();
    const [held] = await world.rows(tenantId, "select count(*)::int as n from quarantine where state = 'held'");
    expect(held).toEqual({ n: 1 });
    world.nowMs += 8 * DAY_MS;
    const kept = { unapplied: 1, dead: 1, undecided: 1, unpacked: 0 };
    expect(await runPack(world)).toMatchObject({ packCount: 1, removedWalCount: 0, keptWal: kept });
    expect(await keysUnder(world, `wal/${tenantId}/`)).toHaveLength(3);
    await world.rows(tenantId, "update quarantine set state = 'purged'");
    await world.rows(
      tenantId,
      "delete from artifact_members where document_uid in (select document_uid from documents)",
    );
    expect(await runPack(world)).toMatchObject({ removedWalCount: 0, keptWal: { ...kept, undecided: 0, unpacked: 1 } });
    expect(await runPack(world)).toMatchObject({
      packCount: 1,
      removedWalCount: 1,
      keptWal: { unapplied: 1, dead: 1 },
    });
  });

  it("takes over a pack that nobody registered, and keeps one that may be all that is left", async () => {
    const tenantId = newTenant();
    await setPolicy(world, tenantId, { retention: { wal_days: 7 } });
    await applied(world, tenantId, documentsOf(["a", "b"]));
    world.nowMs += 8 * DAY_MS;
    await runPack(world);
    const [pack] = await unmarkedUnder(world, `packs/${tenantId}/`);
    const records = await packedRecords(world, tenantId);
    const forget = async (...tables: string[]): Promise<void> => {
      for (const table of tables) await world.rows(tenantId, `delete from ${table}`);
    };
    await forget("artifacts", "artifact_members");
    expect(await runPack(world)).toMatchObject({ packCount: 0, adoptedPackCount: 1, failures: {} });
    expect(await packedRecords(world, tenantId)).toEqual(records);
    // As after a restore of the store from before they came.
    await forget("artifacts", "artifact_members", "doc_embeddings", "documents", "wal_ledger");
    expect(await runPack(world)).toMatchObject({ adoptedPackCount: 0, failures: { pack_unclaimed: 1 } });
    expect(await unmarkedUnder(world, `packs/${tenantId}/`)).toEqual([pack]);
    await world.bucket.delete(pack ?? "");
  });

  it("is one effect when it fires twice at once", async () => {
    const tenantId = newTenant();
    await applied(world, tenantId, documentsOf(["a", "b", "c"]));
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
      await applied(world, tenantId, documentsOf([`a-${count}`, `b-${7 - count}`]));
      world.nowMs += 2 * HOUR_MS;
      expect(await runPack(world)).toMatchObject({
        packCount: 1,
        compactedPackCount: count === 7 ? 8 : 0,
        failures: {},
      });
    }
    const expected = ["a", "b"].flatMap((letter) => [0, 1, 2, 3, 4, 5, 6, 7].map((index) => `${letter}-${index}`));
    expect((await packedRecords(world, tenantId)).map(({ document_id: id }) => id)).toEqual(expected);
    expect(await keysUnder(world, `packs/${tenantId}/`)).toHaveLength(1);
    const walRows = await world.rows(tenantId, "select wal_key, document_index from documents order by document_id");
    await applied(world, tenantId, documentsOf(expected.slice(0, 12), { source: "changed" }));
    world.nowMs += 2 * HOUR_MS;
    expect(await runPack(world)).toMatchObject({ packCount: 1, compactedPackCount: 1, failures: {} });
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

/** Bounds the search for the last crash point. */
const CALLS_MAX = 120;

describe("a crash at any await of the pack job", () => {
  it("loses nothing: the next run packs each document once, and what it removes is in a pack", async () => {
    const world = await openWorldOfNow();
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
      expect({ callIndex, ...(await runPack(world)) }).toMatchObject({ callIndex, failures: {}, unreadableCount: 0 });
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
