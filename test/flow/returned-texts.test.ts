import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { searchReplySchema } from "../../src/lib/contract/search.ts";
import { eraseDocument } from "../../src/lib/flows/deletions/erase-document.ts";
import { readReceipt } from "../../src/lib/flows/batches/read-receipts.ts";
import { RETURN_DUPLICATES_JOB } from "../../src/lib/flows/reentry/return-duplicates-job.ts";
import { search } from "../../src/lib/flows/searching/search.ts";
import { expectOk } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { runTicked } from "./support/run-ticked.ts";
import { openWorld, principalOf, type World } from "./support/world.ts";

/** A chunk each, by the small tokenizer and its 60 tokens. */
const PARAGRAPHS = [
  "The jet flows over the wing in the boundary layer, and the token of the layer is the flow in the jet.",
  "In the flow of the wing the boundary is the layer of the token, and the jet in the layer is the flow of the wing.",
  "A token in the boundary of the flow is the layer of the wing, as the jet of the token is in the flow of the layer.",
] as const;
const PREFACE =
  "The wing of this copy is in the layer of the boundary, and the flow of the jet is the token of the wing in it.";
const MANUAL = PARAGRAPHS.join("\n\n");
const EVENT = { tier: "event" as const, occurred_at: "2026-11-02T10:00:00Z" };

const FORMS: readonly [name: string, dress: (chunk: string) => string][] = [
  ["alone", (chunk) => chunk],
  ["quoted", (chunk) => `> ${chunk.replace(", ", ",\n> ")}`],
  ["as a search result", (chunk) => `Search results for "the wing":\n\n1. ${chunk}\n   score: 0.83`],
  ["in tags", (chunk) => `<memories>\n<memory id="7">${chunk}</memory>\n</memories>`],
];

const BACKENDS = await availableBackends(["pglite", "native", "debian"]);

describe.each(BACKENDS)("a chunk that a search returned and that comes back, on %s", (backend) => {
  let world: World;
  let tenantCount = 0;
  let tenant = "";

  beforeAll(async () => {
    world = await openWorld(backend);
  });
  afterAll(() => world?.close());
  afterEach(() => void world.take());

  const newTenant = (): string => (tenant = `loop-${(tenantCount += 1)}`);
  type Documents = Parameters<World["ingest"]>[1];

  async function put(documents: Documents): Promise<string> {
    const walId = await world.ingest(tenant, documents);
    await world.indexQueued();
    return walId;
  }
  async function outcomeOf(documents: Documents): Promise<unknown> {
    const walId = await put(documents);
    const receipt = await readReceipt(world.context(), principalOf(tenant), { id: `${walId}-0`, verify: true });
    return expectOk(receipt);
  }
  /** Texts of the hits of a search, best first. */
  async function found(query: string): Promise<readonly string[]> {
    const context = { ...world.context(), sleep: async () => undefined };
    const reply = await search(context, principalOf(tenant), { query, k: 10 });
    return searchReplySchema.parse(expectOk(reply)).hits.map((hit) => hit.text);
  }
  async function erase(documentId: string): Promise<void> {
    expectOk(await eraseDocument(world.context(), principalOf(tenant), { documentId, tier: "doc", userId: "" }));
  }
  async function returnOrphans(): Promise<void> {
    await world.rows(tenant, "update documents set updated_at = updated_at - interval '1 hour'");
    expectOk(await runTicked(world.context(), RETURN_DUPLICATES_JOB));
    await world.indexQueued();
  }
  /** The document that each event is linked to; null where it holds its own text. */
  const links = () =>
    world.rows(
      tenant,
      `select d.document_id as event, o.document_id as original from documents d
       left join documents o on o.tenant_id = d.tenant_id and o.document_uid = d.duplicate_of where d.tier = 'event' order by 1`,
    );
  const linkTo = (detail: string) => ({
    outcome: "duplicate",
    reasons: [{ code: "duplicate_returned", detail }],
    chunk_count: 0,
    proof: { holds: true },
  });

  it.each(FORMS)("is linked to its document and not stored again: %s", async (_name, dress) => {
    newTenant();
    await put([{ id: "manual", text: MANUAL }]);
    const [hit = ""] = await found("the wing in the flow");
    expect(PARAGRAPHS).toContain(hit);
    expect(await outcomeOf([{ id: "echo", text: dress(hit), ...EVENT }])).toMatchObject(linkTo("manual"));
    expect(await found("the wing in the flow")).toHaveLength(PARAGRAPHS.length);
  });

  it("is known in a page of results; the document with most of the words is named", async () => {
    newTenant();
    await put([
      { id: "manual", text: MANUAL },
      { id: "note", text: "Nobody has seen the jet of the wing in the flow of the layer since then." },
    ]);
    const hits = await found("the wing in the flow");
    const page = hits.map((hit, index) => `${index + 1}. ${hit}`).join("\n\n");
    expect(await outcomeOf([{ id: "echo", text: `Results:\n\n${page}`, ...EVENT }])).toMatchObject(linkTo("manual"));
  });

  it.each(FORMS)("is kept with one sentence of one's own: %s", async (_name, dress) => {
    newTenant();
    await put([{ id: "manual", text: MANUAL }]);
    const text = `${dress(PARAGRAPHS[0])}\nWe tried that and it does not hold.`;
    expect(await outcomeOf([{ id: "answer", text, ...EVENT }])).toMatchObject({ outcome: "indexed" });
  });

  it("is known to those who can be shown it: not to another user or tenant, but to all where it is shared", async () => {
    newTenant();
    const echo = { id: "echo", text: `Search result: ${PARAGRAPHS[1]}`, ...EVENT };
    await put([{ id: "diary", text: MANUAL, user_id: "ann" }]);
    expect(await outcomeOf([{ ...echo, user_id: "bob" }])).toMatchObject({ outcome: "indexed" });
    expect(await outcomeOf([echo])).toMatchObject({ outcome: "indexed" });
    expect(await outcomeOf([{ ...echo, user_id: "ann" }])).toMatchObject(linkTo("diary"));
    newTenant();
    expect(await outcomeOf([{ ...echo, user_id: "ann" }])).toMatchObject({ outcome: "indexed" });
    newTenant();
    await put([{ id: "manual", text: MANUAL }]);
    expect(await outcomeOf([{ ...echo, user_id: "bob" }])).toMatchObject(linkTo("manual"));
  });

  it("is a text like any other in a document, which somebody wrote on purpose", async () => {
    newTenant();
    await put([{ id: "manual", text: MANUAL }]);
    expect(await outcomeOf([{ id: "excerpt", text: PARAGRAPHS[0] }])).toMatchObject({ outcome: "indexed" });
  });

  it("is no returned text where it is the new version of what it was a part of", async () => {
    newTenant();
    await put([{ id: "talk", text: MANUAL, ...EVENT }]);
    const shorter = { id: "talk", text: `> ${PARAGRAPHS[0]}`, ...EVENT };
    expect(await outcomeOf([shorter])).toMatchObject({ outcome: "indexed" });
  });

  it("is not known any more when its document has lost it, nor where it was stored before chunks had hashes", async () => {
    newTenant();
    await put([{ id: "manual", text: MANUAL }]);
    await put([{ id: "manual", text: [PARAGRAPHS[0], PARAGRAPHS[2]].join("\n\n") }]);
    const lost = { id: "lost", text: `> ${PARAGRAPHS[1]}`, ...EVENT };
    expect(await outcomeOf([lost])).toMatchObject({ outcome: "indexed" });
    await world.rows(tenant, "update doc_embeddings set text_hash = null");
    const old = { id: "old", text: `> ${PARAGRAPHS[2]}`, ...EVENT };
    expect(await outcomeOf([old])).toMatchObject({ outcome: "indexed" });
  });

  it("comes back when its document is deleted, unless another one holds it", async () => {
    newTenant();
    await put([{ id: "manual", text: MANUAL }]);
    await put([{ id: "echo", text: `> ${PARAGRAPHS[1]}`, ...EVENT }]);
    await put([{ id: "copy", text: `${PREFACE}\n\n${PARAGRAPHS[1]}` }]);
    expect(await links()).toEqual([{ event: "echo", original: "manual" }]);
    await erase("manual");
    await returnOrphans();
    expect(await links()).toEqual([{ event: "echo", original: "copy" }]);
    await erase("copy");
    await returnOrphans();
    expect(await links()).toEqual([{ event: "echo", original: null }]);
    expect(await found("the wing in the flow")).toEqual([`> ${PARAGRAPHS[1]}`]);
  });

  it("stays linked when its document gets another text that still holds it", async () => {
    newTenant();
    await put([{ id: "manual", text: MANUAL }]);
    await put([{ id: "echo", text: `> ${PARAGRAPHS[1]}`, ...EVENT }]);
    await put([{ id: "manual", text: `${MANUAL}\n\nIn the end the wing is the token of the jet.` }]);
    await returnOrphans();
    expect(await links()).toEqual([{ event: "echo", original: "manual" }]);
    await returnOrphans();
    const rows = await world.rows(tenant, "select count(*) as receipts from receipts where outcome = 'duplicate'");
    expect(rows).toEqual([{ receipts: "2" }]);
  });
});
