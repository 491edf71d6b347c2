import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { versionKey } from "../../src/lib/base/document-uid.ts";
import type { EmbedMessage } from "../../src/lib/contract/queue-message.ts";
import { batchStatus } from "../../src/lib/flows/batches/batch-status.ts";
import { eraseDocument } from "../../src/lib/flows/deletions/erase-document.ts";
import { buryRange } from "../../src/lib/flows/indexing/bury-range.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { readReceipt } from "../../src/lib/flows/batches/read-receipts.ts";
import { buildReport } from "../../src/lib/flows/batches/build-report.ts";
import { writeReport } from "../../src/lib/flows/batches/write-report.ts";
import { expectOk } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

const SENTENCES = [
  "The jet flows over the wing in the boundary layer.",
  "The token of the layer is the flow in the jet.",
  "In the flow of the wing the boundary is the layer of the token.",
  "The wing of the jet is the token of the flow in the boundary layer.",
  "The layer flows in the token of the wing and the jet flows in the layer.",
];

/** Several chunks at 60 tokens each. */
const LONG_TEXT = Array.from({ length: 4 }, (_, index) => SENTENCES.map((line) => `${line} ${index}`).join(" ")).join(
  "\n\n",
);

/** PGlite, PostgreSQL 18 with pgvector (where deliveries really run at the same time) and PostgreSQL 15 without it. */
const BACKENDS = await availableBackends(["pglite", "native", "debian"]);

describe.each(BACKENDS)("on %s", (backend) => {
  let world: World;
  let tenantCount = 0;
  let tenant = "";

  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());
  afterEach(() => {
    world.embedder.outage = undefined;
    world.embedder.embeddedTexts.length = 0;
    world.take();
  });

  function newTenant(): string {
    tenantCount += 1;
    tenant = `tenant-${tenantCount}`;
    return tenant;
  }

  async function indexAll(messages: readonly EmbedMessage[]): Promise<void> {
    for (const message of messages) expectOk(await indexRange(world.context(), message));
  }

  async function chunksOf(documentId: string): Promise<readonly string[]> {
    const rows = await world.rows(
      tenant,
      `select e.text from doc_embeddings e join documents d using (tenant_id, document_uid)
     where d.document_id = $1 order by e.chunk_index`,
      documentId,
    );
    return rows.map((row) => String(row["text"]));
  }

  async function receiptOf(walId: string, index = 0): Promise<Readonly<Record<string, unknown>>> {
    const receipt = expectOk(
      await readReceipt(world.context(), principalOf(tenant), { id: `${walId}-${index}`, verify: true }),
    );
    return receipt;
  }

  describe("indexing a range", () => {
    it("stores documents, chunks, receipts and counters in one go, and the status counts them", async () => {
      newTenant();
      const walId = await world.ingest(tenant, [
        { id: "a", text: LONG_TEXT, title: "The jet", metadata: { year: 1961 } },
        { id: "b", text: "The wing flows in the layer of the boundary, in the jet of the token." },
      ]);
      const queuedStatus = expectOk(await batchStatus(world.context(), { tenantId: tenant, batchTag: walId }));
      expect(queuedStatus).toMatchObject({ state: "queued", document_count: 2, pending_count: 2 });
      expect(await receiptOf(walId)).toMatchObject({ state: "queued", outcome: null });

      await indexAll(world.take());

      const chunks = await chunksOf("a");
      expect(chunks.length).toBeGreaterThan(3);
      for (const chunk of chunks) expect(LONG_TEXT).toContain(chunk);
      const status = expectOk(await batchStatus(world.context(), { tenantId: tenant, batchTag: walId }));
      expect(status).toMatchObject({ state: "done", document_count: 2, pending_count: 0, outcomes: { indexed: 2 } });
      expect(status.chunk_count).toBe(chunks.length + 1);
      expect(await receiptOf(walId)).toMatchObject({
        outcome: "indexed",
        chunk_count: chunks.length,
        proof: { holds: true, present: true, superseded: false, chunk_count: chunks.length, stale_chunk_count: 0 },
      });
    });

    it("has one effect when the same message comes again", async () => {
      newTenant();
      const walId = await world.ingest(tenant, [{ id: "a", text: LONG_TEXT }]);
      const messages = world.take();
      await indexAll(messages);
      const before = await chunksOf("a");
      for (const message of messages) {
        const again = expectOk(await indexRange(world.context(), message));
        expect(again.alreadyApplied).toBe(true);
      }
      expect(await chunksOf("a")).toEqual(before);
      const status = expectOk(await batchStatus(world.context(), { tenantId: tenant, batchTag: walId }));
      expect(status).toMatchObject({ outcomes: { indexed: 1 }, chunk_count: before.length });
    });

    it("has one effect when two deliveries of one message run at the same time", async () => {
      newTenant();
      const walId = await world.ingest(tenant, [{ id: "a", text: LONG_TEXT }]);
      const [message] = world.take();
      if (message === undefined) throw new Error("no message was queued");
      const both = await Promise.all([indexRange(world.context(), message), indexRange(world.context(), message)]);
      expect(both.filter((result) => expectOk(result).alreadyApplied)).toHaveLength(1);
      const status = expectOk(await batchStatus(world.context(), { tenantId: tenant, batchTag: walId }));
      expect(status).toMatchObject({ outcomes: { indexed: 1 }, state: "done" });
    });

    it("says unchanged for the same content and embeds nothing", async () => {
      newTenant();
      await world.ingest(tenant, [{ id: "a", text: LONG_TEXT, metadata: { x: 1, y: 2 } }]);
      await indexAll(world.take());
      world.embedder.embeddedTexts.length = 0;
      const walId = await world.ingest(tenant, [{ id: "a", text: LONG_TEXT, metadata: { y: 2, x: 1 } }]);
      await indexAll(world.take());
      expect(world.embedder.embeddedTexts).toEqual([]);
      expect(await receiptOf(walId)).toMatchObject({ outcome: "unchanged", proof: { holds: true, present: true } });
    });

    it("embeds only the chunks of a new version whose text it does not know, and leaves none of the old one", async () => {
      newTenant();
      await world.ingest(tenant, [{ id: "a", text: LONG_TEXT }]);
      await indexAll(world.take());
      world.embedder.embeddedTexts.length = 0;
      const changed = `${LONG_TEXT}\n\nThe token is the jet of the wing, and the wing is the flow.`;
      const walId = await world.ingest(tenant, [{ id: "a", text: changed }]);
      await indexAll(world.take());
      const after = await chunksOf("a");
      expect(after.at(-1)).toContain("the wing is the flow");
      expect(world.embedder.embeddedTexts.length).toBeLessThan(after.length);
      expect(world.embedder.embeddedTexts.length).toBeGreaterThan(0);
      expect(await receiptOf(walId)).toMatchObject({
        outcome: "indexed",
        proof: { holds: true, stale_chunk_count: 0 },
      });
      const stored = await world.rows(tenant, "select count(distinct generation) as generations from doc_embeddings");
      expect(stored[0]?.["generations"]).toBe("1");
    });

    it("keeps the newer version when the older message comes last, and says so", async () => {
      newTenant();
      const olderId = await world.ingest(tenant, [{ id: "a", text: "The older jet flows in the layer of the wing." }]);
      const older = world.take();
      await world.ingest(tenant, [{ id: "a", text: "The newer token flows in the layer of the wing." }]);
      await indexAll(world.take());
      await indexAll(older);
      expect(await chunksOf("a")).toEqual(["The newer token flows in the layer of the wing."]);
      expect(await receiptOf(olderId)).toMatchObject({
        outcome: "unchanged",
        reasons: [{ code: "superseded" }],
        proof: { holds: true, superseded: true },
      });
    });

    it("does not let an older version overwrite one that was sent again unchanged", async () => {
      newTenant();
      const first = { id: "a", text: "The first jet flows in the layer of the wing." };
      await world.ingest(tenant, [first]);
      await indexAll(world.take());
      await world.ingest(tenant, [{ id: "a", text: "The second token flows in the layer of the wing." }]);
      const second = world.take();
      await world.ingest(tenant, [first]);
      await indexAll(world.take());
      await indexAll(second);
      expect(await chunksOf("a")).toEqual([first.text]);
    });

    it("indexes the neighbours of a chunk that the embedder refuses, and lists the refused one", async () => {
      newTenant();
      const poisoned = `${LONG_TEXT}\n\nThe POISON token flows in the layer.\n\n${LONG_TEXT.replaceAll("jet", "layer")}`;
      const walId = await world.ingest(tenant, [
        { id: "poisoned", text: poisoned },
        { id: "neighbour", text: "The wing flows in the layer of the boundary, in the jet." },
      ]);
      await indexAll(world.take());
      expect((await chunksOf("poisoned")).length).toBeGreaterThan(4);
      expect(await chunksOf("neighbour")).toHaveLength(1);
      const letters = await world.rows(tenant, "select code, document_index, chunk_index, detail from dead_letters");
      expect(letters).toHaveLength(1);
      expect(letters[0]).toMatchObject({ code: "text_refused", document_index: 0 });
      expect(JSON.stringify(letters)).not.toContain("POISON");
      const status = expectOk(await batchStatus(world.context(), { tenantId: tenant, batchTag: walId }));
      expect(status).toMatchObject({ state: "done_with_failures", chunk_failed_count: 1, outcomes: { indexed: 2 } });
    });

    it("calls a document failed when nothing of it could be embedded", async () => {
      newTenant();
      const walId = await world.ingest(tenant, [{ id: "a", text: "POISON is all there is in this wing of the jet." }]);
      await indexAll(world.take());
      expect(await receiptOf(walId)).toMatchObject({ outcome: "failed", chunk_count: 0, chunk_failed_count: 1 });
    });

    it("leaves everything as it was when the embedder is down, and applies the range when it is back", async () => {
      newTenant();
      const walId = await world.ingest(tenant, [{ id: "a", text: LONG_TEXT }]);
      const messages = world.take();
      world.embedder.outage = { code: "embedder_unavailable" };
      const [message] = messages;
      if (message === undefined) throw new Error("no message was queued");
      expect(await indexRange(world.context(), message)).toMatchObject({
        ok: false,
        error: { code: "embedder_unavailable" },
      });
      expect(await chunksOf("a")).toEqual([]);
      world.embedder.outage = undefined;
      await indexAll(messages);
      expect(await receiptOf(walId)).toMatchObject({ outcome: "indexed" });
    });

    it("ends a range that can never be applied: failed receipts, a dead letter, and the batch says so", async () => {
      newTenant();
      const walId = await world.ingest(tenant, [
        { id: "a", text: LONG_TEXT },
        { id: "b", text: LONG_TEXT },
      ]);
      for (const message of world.take()) {
        const burial = { message, queue: "embed", code: "wal_damaged", attempts: 3 };
        expectOk(await buryRange(world.context(), burial));
        expectOk(await buryRange(world.context(), burial));
        expect(expectOk(await indexRange(world.context(), message)).alreadyApplied).toBe(true);
      }
      const status = expectOk(await batchStatus(world.context(), { tenantId: tenant, batchTag: walId }));
      expect(status).toMatchObject({ state: "done_with_failures", outcomes: { failed: 2 }, pending_count: 0 });
      expect(await receiptOf(walId, 1)).toMatchObject({
        outcome: "failed",
        reasons: [{ code: "wal_damaged" }],
        document_id: "b",
      });
    });

    it("refuses a message that names another tenant than the object it points at", async () => {
      newTenant();
      await world.ingest(tenant, [{ id: "a", text: LONG_TEXT }]);
      const [message] = world.take();
      if (message === undefined) throw new Error("no message was queued");
      const forged = { ...message, tenant_id: "someone-else" };
      expect(await indexRange(world.context(), forged)).toMatchObject({ ok: false, error: { code: "wal_mismatch" } });
      const stolen = await world.rows("someone-else", "select * from documents");
      expect(stolen).toEqual([]);
    });
  });

  describe("erasing a document", () => {
    it("removes its chunks and keeps it removed when an older message comes late", async () => {
      newTenant();
      await world.ingest(tenant, [{ id: "a", text: LONG_TEXT, title: "The jet" }]);
      await indexAll(world.take());
      const lateId = await world.ingest(tenant, [{ id: "a", text: "The late jet flows in the wing of the layer." }]);
      const late = world.take();
      const name = { documentId: "a", tier: "doc", userId: "" } as const;
      const erased = expectOk(await eraseDocument(world.context(), principalOf(tenant), name));
      expect(erased.existed).toBe(true);
      expect(erased.deleted_chunk_count).toBeGreaterThan(0);
      await indexAll(late);
      expect(await chunksOf("a")).toEqual([]);
      expect(await receiptOf(lateId)).toMatchObject({
        outcome: "unchanged",
        proof: { present: false, superseded: true },
      });
      const [row] = await world.rows(tenant, "select title, metadata from documents where document_id = 'a'");
      expect(row).toEqual({ title: "", metadata: {} });
    });

    it("lets a document come back when it is sent after its deletion", async () => {
      newTenant();
      const name = { documentId: "a", tier: "doc", userId: "" } as const;
      const erased = expectOk(await eraseDocument(world.context(), principalOf(tenant), name));
      expect(erased).toEqual({ existed: false, deleted_chunk_count: 0 });
      const walId = await world.ingest(tenant, [{ id: "a", text: "The jet is back in the layer of the wing." }]);
      await indexAll(world.take());
      expect(await receiptOf(walId)).toMatchObject({ outcome: "indexed", proof: { holds: true, present: true } });
    });

    it("refuses a key that is bound to another user", async () => {
      newTenant();
      const bound = { ...principalOf(tenant), userId: "ann" };
      const name = { documentId: "a", tier: "doc", userId: "bob" } as const;
      expect(await eraseDocument(world.context(), bound, name)).toMatchObject({
        ok: false,
        error: { code: "user_forbidden" },
      });
    });
  });

  describe("the ingest report", () => {
    it("is the same when it is built again, and is registered with the hash of what lies in R2", async () => {
      newTenant();
      await world.ingest(tenant, [{ id: "a", text: LONG_TEXT, source: "speeches" }], { batchTag: "spring" });
      await world.ingest(
        tenant,
        [
          { id: "b", text: LONG_TEXT.replaceAll("jet", "bird"), source: "letters" },
          { id: "c", text: "" },
        ],
        { batchTag: "spring" },
      );
      await indexAll(world.take());
      const batch = { tenantId: tenant, batchTag: "spring" };
      const written = expectOk(await writeReport(world.context(), batch)).report;
      expect(written).toMatchObject({ document_count: 3, outcomes: { indexed: 2, rejected: 1 }, state: "done" });
      expect(written.sources.map((source) => source.source)).toEqual(["", "letters", "speeches"]);
      expect(written.reasons).toEqual([{ outcome: "rejected", code: "empty_text", input_count: 1 }]);
      expect(expectOk(await buildReport(world.context(), batch)).report).toEqual(written);
      const object = await world.bucket.get(`ingest_reports/${tenant}/spring.json`);
      const text = await object?.text();
      const [row] = await world.rows(tenant, "select size_bytes, encode(sha256, 'hex') as hash from artifacts");
      const digest = Buffer.from(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))).toString("hex");
      expect(row).toEqual({ size_bytes: String(new TextEncoder().encode(text).length), hash: digest });
    });
  });

  describe("version keys", () => {
    it("sort as the requests came, then by position", () => {
      const keys = [
        versionKey("01J0000000000000000000000B", 2),
        versionKey("01J0000000000000000000000A", 999),
        versionKey("01J0000000000000000000000B", 10),
      ];
      expect(keys.toSorted()).toEqual([keys[1], keys[0], keys[2]]);
    });
  });
});
