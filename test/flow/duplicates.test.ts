import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { tenantPolicySchema } from "../../src/lib/contract/policy.ts";
import { eraseDocument } from "../../src/lib/flows/deletions/erase-document.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { readReceipt } from "../../src/lib/flows/batches/read-receipts.ts";
import { RETURN_DUPLICATES_JOB } from "../../src/lib/flows/reentry/return-duplicates-job.ts";
import { expectOk } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

const TEXT =
  "The jet flows over the wing in the boundary layer, and the token of the layer is the flow in the jet. " +
  "In the flow of the wing the boundary is the layer of the token, as everybody who has seen a wing will know by heart.";
/** The same with two typing errors and other case. */
const NEARLY = TEXT.replace("everybody", "everbody")
  .replace("boundary layer", "Boundary Layer")
  .replace("heart", "haert");
const OTHER =
  "A wholly different token stands here, about nothing that was said of jets or wings in any other text so far.";

const BACKENDS = await availableBackends(["pglite", "native", "debian"]);

describe.each(BACKENDS)("duplicates in the store, on %s", (backend) => {
  let world: World;
  let tenantCount = 0;
  let tenant = "";

  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());
  afterEach(() => void world.take());

  const newTenant = (): string => (tenant = `dup-${(tenantCount += 1)}`);
  type Documents = Parameters<World["ingest"]>[1];

  async function put(documents: Documents, options: Parameters<World["ingest"]>[2] = {}): Promise<string> {
    const walId = await world.ingest(tenant, documents, options);
    await world.indexQueued();
    return walId;
  }
  const receipt = async (walId: string, index = 0) =>
    expectOk(await readReceipt(world.context(), principalOf(tenant), { id: `${walId}-${index}`, verify: true }));
  async function found(): Promise<readonly unknown[]> {
    const rows = await world.rows(
      tenant,
      "select distinct d.document_id from doc_embeddings e join documents d using (tenant_id, document_uid) order by 1",
    );
    return rows.map((row) => row["document_id"]);
  }
  const returnOrphans = async () => {
    await world.rows(tenant, "update documents set updated_at = updated_at - interval '1 hour'");
    expectOk(await runTicked(world.context(), RETURN_DUPLICATES_JOB));
    await world.indexQueued();
  };

  it.each([
    ["equal", TEXT.toUpperCase(), "duplicate_exact"],
    ["nearly equal", NEARLY, "duplicate_near"],
  ])("an %s text is left out, and its receipt names the original", async (_name, text, code) => {
    newTenant();
    await put([{ id: "first", text: TEXT }]);
    world.embedder.embeddedTexts.length = 0;
    const walId = await put([{ id: "second", text }]);
    expect(await receipt(walId)).toMatchObject({
      outcome: "duplicate",
      reasons: [{ code, detail: "first" }],
      chunk_count: 0,
      proof: { holds: true },
    });
    expect(world.embedder.embeddedTexts).toEqual([]);
    expect(await found()).toEqual(["first"]);
    const [batch] = await world.rows(tenant, "select duplicate_count from batches where batch_tag = $1", walId);
    expect(batch).toEqual({ duplicate_count: "1" });
  });

  it("of one request is told at the edge already", async () => {
    newTenant();
    const walId = await put([
      { id: "first", text: TEXT },
      { id: "second", text: TEXT },
    ]);
    expect(await receipt(walId, 1)).toMatchObject({ outcome: "duplicate", reasons: [{ detail: "first" }] });
    expect(await found()).toEqual(["first"]);
  });

  it("belong to one user and one tier: another user's equal text is a text of its own", async () => {
    newTenant();
    await put([{ id: "first", text: TEXT, user_id: "ann" }]);
    const walId = await put([
      { id: "second", text: TEXT, user_id: "bob" },
      { id: "third", text: TEXT, user_id: "ann", tier: "profile" },
    ]);
    expect((await receipt(walId, 0)).outcome).toBe("indexed");
    expect((await receipt(walId, 1)).outcome).toBe("indexed");
  });

  it("an event said again a day later is another event; sent again with its time it is the same", async () => {
    newTenant();
    const event = { text: TEXT, tier: "event" as const, metadata: { speaker: "ann" } };
    await put([{ id: "monday", ...event, occurred_at: "2026-11-02T10:00:00Z" }]);
    const later = await put([{ id: "tuesday", ...event, occurred_at: "2026-11-03T10:00:00Z" }]);
    const again = await put([{ id: "monday-again", ...event, occurred_at: "2026-11-02T10:00:02Z" }]);
    expect((await receipt(later)).outcome).toBe("indexed");
    expect(await receipt(again)).toMatchObject({ outcome: "duplicate", reasons: [{ detail: "monday" }] });
  });

  it("a changed version of a document is no duplicate of its former one", async () => {
    newTenant();
    await put([{ id: "first", text: TEXT }]);
    const walId = await put([{ id: "first", text: NEARLY }]);
    expect((await receipt(walId)).outcome).toBe("indexed");
  });

  it("a document whose new version is a duplicate gives up its old text", async () => {
    newTenant();
    await put([
      { id: "first", text: TEXT },
      { id: "second", text: OTHER },
    ]);
    const walId = await put([{ id: "second", text: TEXT }]);
    expect(await receipt(walId)).toMatchObject({ outcome: "duplicate", proof: { holds: true, stale_chunk_count: 0 } });
    expect(await found()).toEqual(["first"]);
  });

  it("still find their original after an older version of it came late", async () => {
    newTenant();
    await world.ingest(tenant, [{ id: "first", text: OTHER }]);
    const late = world.take();
    await put([{ id: "first", text: TEXT }]);
    for (const message of late) expectOk(await indexRange(world.context(), message));
    const walId = await put([{ id: "second", text: TEXT }]);
    expect(await receipt(walId)).toMatchObject({ outcome: "duplicate", reasons: [{ detail: "first" }] });
  });

  it("come back when their original is deleted, and one of them is the next original", async () => {
    newTenant();
    await put([{ id: "first", text: TEXT }]);
    await put([{ id: "second", text: TEXT }]);
    await put([{ id: "third", text: NEARLY }]);
    const name = { documentId: "first", tier: "doc", userId: "" } as const;
    expectOk(await eraseDocument(world.context(), principalOf(tenant), name));
    expect(await found()).toEqual([]);
    await returnOrphans();
    expect(await found()).toHaveLength(1);
    await returnOrphans();
    expect(await found()).toHaveLength(1);
  });

  it("come back when their original gets another text", async () => {
    newTenant();
    await put([{ id: "first", text: TEXT }]);
    await put([{ id: "second", text: TEXT }]);
    await put([{ id: "first", text: OTHER }]);
    await returnOrphans();
    expect(await found()).toEqual(["first", "second"]);
    const [row] = await world.rows(
      tenant,
      'select reasons from receipts where reasons @> \'[{"code": "original_gone"}]\'',
    );
    expect(row).toBeDefined();
  });

  it("a stored text that comes back in a stream is linked, not stored again; with words of one's own it is kept", async () => {
    newTenant();
    await put([{ id: "memory", text: TEXT, user_id: "ann" }]);
    const event = { tier: "event" as const, user_id: "ann", occurred_at: "2026-11-02T10:00:00Z" };
    const returned = await put([{ id: "echo", text: `Search results:\n\n1. ${TEXT}`, ...event }]);
    expect(await receipt(returned)).toMatchObject({
      outcome: "duplicate",
      reasons: [{ code: "duplicate_returned", detail: "memory" }],
    });
    const own = await put([{ id: "answer", text: `${TEXT} And I do not believe a word of it.`, ...event }]);
    expect((await receipt(own)).outcome).toBe("indexed");
    const bob = await put([{ id: "echo", text: `Search results:\n\n1. ${TEXT}`, ...event, user_id: "bob" }]);
    expect((await receipt(bob)).outcome).toBe("indexed");
  });

  it("are not looked for where the policy says so", async () => {
    newTenant();
    const policy = tenantPolicySchema.parse({ duplicates: { enabled: false } });
    await put([{ id: "first", text: TEXT }], { policy });
    const walId = await put([{ id: "second", text: TEXT }], { policy });
    expect((await receipt(walId)).outcome).toBe("indexed");
  });
});
