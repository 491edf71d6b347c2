import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DAY_MS, HOUR_MS } from "../../src/lib/base/durations.ts";
import { openPackFile } from "../../src/cli/artifact/open-pack-file.ts";
import { verifyPack } from "../../src/lib/artifact/verify-pack.ts";
import { ulidTimeMs } from "../../src/lib/base/ids.ts";
import type { WalDocument } from "../../src/lib/contract/wal-record.ts";
import { awaitWrites } from "../../src/lib/flows/searching/await-writes.ts";
import { batchStatus } from "../../src/lib/flows/batches/batch-status.ts";
import { dictionaryKey } from "../../src/lib/flows/dictionaries/dictionary-object.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { readStoredDocument } from "../../src/lib/flows/packs/read-stored-document.ts";
import { rescanPii } from "../../src/lib/flows/reentry/rescan-pii.ts";
import { RETURN_DUPLICATES_JOB } from "../../src/lib/flows/reentry/return-duplicates-job.ts";
import { storeRequest } from "../../src/lib/flows/ingest/store-request.ts";
import { walKey } from "../../src/lib/wal/wal-key.ts";
import { expectOk } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import {
  documentsOf,
  keysUnder,
  newTenant,
  openWorldOfNow,
  packedRecords,
  runPack,
  setPolicy,
  textOf,
  trainedDictionary,
  withoutWal,
} from "./support/packing.ts";
import { runTicked } from "./support/run-ticked.ts";
import { principalOf, type World } from "./support/world.ts";

const backends = await availableBackends(["pglite", "native"]);

describe.each(backends)("a text in a pack on %s", (backend) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorldOfNow(backend);
  });
  afterAll(() => world?.close());

  it("removes WAL objects past the days of the policy, and the store goes on as before", async () => {
    const tenantId = newTenant();
    await setPolicy(world, tenantId, { retention: { wal_days: 7 } });
    const documents = documentsOf(["a", "b"]);
    const walId = await world.ingest(tenantId, documents, { key: "once" });
    const [message] = world.take();
    if (message === undefined) throw new Error("nothing was sent");
    expectOk(await indexRange(world.context(), message));
    world.nowMs += 2 * HOUR_MS;
    expect(await runPack(world)).toMatchObject({ packCount: 1, removedWalCount: 0 });
    world.nowMs += 8 * DAY_MS;
    expect(await runPack(world, { isDryRun: true })).toMatchObject({ removedWalCount: 1 });
    expect(await keysUnder(world, `wal/${tenantId}/`)).toHaveLength(1);
    expect(await runPack(world)).toMatchObject({ removedWalCount: 1 });
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
    expect(await runPack(world)).toMatchObject({ packCount: 0, removedWalCount: 0, failures: {} });
  });

  it("has a rescan find the texts of packs, and a return of duplicates too", async () => {
    const mail = "wing.person@example.org";
    const text = `${textOf("a")} Write to ${mail} about it.`;
    const tenantId = await withoutWal(
      world,
      [
        { id: "mail", text, occurred_at: "2026-01-02T03:04:05Z" },
        { id: "copy", text },
      ],
      { pii: { enabled: false } },
    );
    await setPolicy(world, tenantId, { pii: { actions: { EMAIL_ADDRESS: "redact" } } });
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
    await setPolicy(world, tenantId, { retention: { wal_days: 7 } });
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
    expect(await runPack(world)).toMatchObject({ failures: {} });
    expect(await keysUnder(world, `wal/${tenantId}/`)).toEqual([]);
    expect([expectOk(await read(0)), expectOk(await read(1))]).toEqual(before);
    expect(await read(2)).toMatchObject({ ok: false, error: { code: "wal_missing" } });
    const [artifact] = await world.rows(tenantId, "select dictionary_id from artifacts where kind = 'pack'");
    expect(artifact).toEqual({ dictionary_id: dictionary.id });
    const folder = await mkdtemp(join(tmpdir(), "jeeves-pack-"));
    for (const key of [...(await keysUnder(world, `packs/${tenantId}/`)), dictionaryKey(tenantId, dictionary.id)]) {
      const bytes = (await (await world.bucket.get(key))?.bytes()) ?? new Uint8Array(0);
      await writeFile(join(folder, basename(key)), bytes);
    }
    const [fileName = ""] = (await readdir(folder)).filter((name) => name.endsWith(".mpz"));
    const { reader, source, close } = await openPackFile(join(folder, fileName), []);
    expect(await verifyPack(reader, source)).toMatchObject({ isSound: true, recordCount: 2 });
    expect(expectOk(await reader.findRecord({ user_id: "ann", document_id: "talk/2" }))?.context).toBe(
      documents[1]?.context,
    );
    await close();
    await rm(folder, { recursive: true });
    const [record] = await packedRecords(world, tenantId);
    const [row] = await world.rows(
      tenantId,
      "select encode(content_hash, 'hex') as hash, (select encode(chunk_hash, 'hex') from doc_embeddings e where e.document_uid = d.document_uid and chunk_index = 0) as chunk_hash from documents d where document_id = 'talk/1'",
    );
    expect(row).toEqual({ hash: record?.content_hash, chunk_hash: record?.chunks[0]?.chunk_hash });
  });
});
