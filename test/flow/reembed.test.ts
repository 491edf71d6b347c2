import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import { eraseDocuments } from "../../src/lib/flows/deletions/erase-documents.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { embedMissing } from "../../src/lib/flows/models/embed-missing.ts";
import { newFillTally } from "../../src/lib/flows/models/filling.ts";
import { measureCoverage } from "../../src/lib/flows/models/measure-coverage.ts";
import { dropExpiredBatch } from "../../src/lib/flows/retention/drop-batch.ts";
import { readReceipt } from "../../src/lib/flows/batches/read-receipts.ts";
import { search } from "../../src/lib/flows/searching/search.ts";
import type { SearchReply } from "../../src/lib/contract/search.ts";
import { expectOk } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { CrashPoint } from "./support/crashing.ts";
import { distinctText } from "./support/distinct-text.ts";
import { eraseWhole } from "./support/erasures.ts";
import { day, TenantProfiles } from "./support/tenant-profiles.ts";
import { TwoModels } from "./support/two-models.ts";
import { openWorld, principalOf, type World, type WorldContext } from "./support/world.ts";

const backends = await availableBackends(["pglite", "native", "jsonb"]);
const CALLS_MAX = 120;

const documentsOf = (ids: readonly string[], more: Partial<DocumentInput> = {}): DocumentInput[] =>
  ids.map((id) => ({
    id,
    title: `Wing ${id}`,
    text: distinctText(id),
    ...more,
  }));

let tenantCount = 0;
function newTenant(): string {
  tenantCount += 1;
  return `models-${String(tenantCount).padStart(3, "0")}`;
}

describe.each(backends)("filling a model beside the active one, on %s", (backend) => {
  let world: World;
  let two: TwoModels;
  let next: number;
  beforeAll(async () => {
    world = await openWorld(backend);
    two = new TwoModels(world);
    next = await two.register();
  });
  afterAll(() => world?.close());

  /** What the store holds under one model of a tenant's documents: chunks by document. */
  async function chunksOf(tenantId: string, modelId: number): Promise<Record<string, number>> {
    const text = `select d.document_id, count(*)::int as n from doc_embeddings e
      join documents d on d.tenant_id = e.tenant_id and d.document_uid = e.document_uid and d.generation = e.generation
      where e.tenant_id = $1 and e.model_id = $2::int group by 1 order by 1`;
    const rows = await world.rows(tenantId, text, tenantId, modelId);
    return Object.fromEntries(rows.map((row) => [String(row["document_id"]), Number(row["n"])]));
  }

  /** Rows of a model that hang on no document as it is now. */
  async function strayRows(tenantId: string, modelId: number): Promise<number> {
    const text = `select count(*)::int as n from doc_embeddings e left join documents d on d.tenant_id = e.tenant_id
      and d.document_uid = e.document_uid and d.generation = e.generation and d.deleted_at is null
      where e.tenant_id = $1 and e.model_id = $2::int and d.document_uid is null`;
    return Number((await world.rows(tenantId, text, tenantId, modelId))[0]?.["n"]);
  }

  async function find(tenantId: string, query: string, more: object = {}): Promise<SearchReply> {
    const context = { ...two.context(), sleep: async (): Promise<void> => undefined };
    return expectOk(await search(context, principalOf(tenantId), { query, explain: true, ...more }));
  }

  /** Embeds what is missing in one tenant; `meanwhile` happens between the read of the documents and the writing of their vectors. */
  async function fillDuring(tenantId: string, meanwhile: () => Promise<void>): Promise<void> {
    const context = two.context();
    const { embedder } = context;
    let happened: Promise<void> | undefined;
    const watched: typeof embedder = {
      info: () => embedder.info(),
      tokenizer: () => embedder.tokenizer(),
      embed: async (texts, options) => {
        happened ??= meanwhile();
        await happened;
        return embedder.embed(texts, options);
      },
    };
    const model = { ...expectOk(await context.models.active()), modelId: next, ...two.next.served };
    const target = { tenantId, model, isActive: false };
    const tally = newFillTally();
    expectOk(await embedMissing({ ...context, embedder: watched }, target, { tally, isSpent: () => false }));
    expect(happened).toBeDefined();
  }

  it("gives every document with a text of its own vectors of both models, cut as each needs it, and shows nothing of it", async () => {
    const tenantId = newTenant();
    await world.ingest(tenantId, documentsOf(["a", "b"]));
    await world.ingest(tenantId, documentsOf(["copy"], { title: "Wing a", text: documentsOf(["a"])[0]?.text ?? "" }));
    await world.ingest(tenantId, documentsOf(["mine"], { user_id: "ann", tier: "event" }));
    await world.indexQueued();
    const before = await find(tenantId, "boundary layer of the jet", { user_id: "ann", k: 20 });
    const active = await chunksOf(tenantId, 1);
    const run = await two.reembed();
    expect(run.state).toBe("done");
    const filled = await chunksOf(tenantId, next);
    expect(Object.keys(filled)).toEqual(Object.keys(active));
    for (const [id, count] of Object.entries(filled)) expect(count, id).toBeGreaterThan(active[id] ?? 0);
    expect(await chunksOf(tenantId, 1)).toEqual(active);
    const after = await find(tenantId, "boundary layer of the jet", { user_id: "ann", k: 20 });
    expect({ ...after, explain: undefined }).toEqual({ ...before, explain: undefined });
    expect(after.explain?.scope_chunk_count).toBe(before.explain?.scope_chunk_count);
    const coverage = expectOk(await measureCoverage(world.database.sql, { tenantId, modelId: next }));
    expect(coverage).toMatchObject({ missing_count: 0, refused_count: 0 });
    expect(coverage.covered_count).toBe(coverage.document_count);
    const embeddedBefore = two.next.embeddedTexts.length;
    expect((await two.reembed()).state).toBe("done");
    expect(two.next.embeddedTexts).toHaveLength(embeddedBefore);
  });

  it("cuts and embeds as indexing under that model does", async () => {
    const tenantId = newTenant();
    await world.ingest(tenantId, documentsOf(["a"]));
    await world.indexQueued();
    await two.reembed();
    const other = await openWorld(backend === "native" ? "pglite" : backend);
    try {
      const alone = new TwoModels(other);
      await alone.register();
      await other.database.ownerSql.query({
        text: "update embedding_models set state = case when fingerprint = $1 then 'shadow' else 'retired' end",
        params: [two.next.served.fingerprint],
      });
      await other.database.ownerSql.query({
        text: "update embedding_models set state = 'active' where fingerprint = $1",
        params: [two.next.served.fingerprint],
      });
      await other.ingest(tenantId, documentsOf(["a"]));
      for (const message of other.take()) expectOk(await indexRange(alone.context(), message));
      const columns =
        "select chunk_index, encode(chunk_hash, 'hex') as hash, text, token_count, lexeme_count from doc_embeddings";
      const here = await world.rows(tenantId, `${columns} where model_id = $1::int order by 1`, next);
      expect(here.length).toBeGreaterThan(1);
      expect(here).toEqual(await other.rows(tenantId, `${columns} order by 1`));
    } finally {
      await other.close();
    }
  });

  it("leaves nothing of what is deleted, replaced or dropped, whether it was filled before or while it was embedded", async () => {
    const remove = async (tenantId: string): Promise<void> => {
      const documents = [{ documentId: "gone", tier: "doc" as const }];
      const deletionId = world.context().newUlid();
      const request = { tenantId, userId: "", documents, deletionId };
      expectOk(await eraseDocuments(world.context(), request));
    };
    const replace = async (tenantId: string): Promise<void> => {
      await world.ingest(tenantId, [{ id: "gone", text: "The token is in the wing now, and the jet is not." }]);
      await world.indexQueued();
    };
    const drop = async (tenantId: string): Promise<void> => {
      const batch = { tenantId, batchTag: "old" };
      expectOk(await dropExpiredBatch(world.context(), batch, { isSpent: () => false }));
    };
    for (const change of [remove, replace, drop]) {
      for (const isDuring of [false, true]) {
        const tenantId = newTenant();
        await world.ingest(tenantId, documentsOf(["gone"]), { batchTag: "old" });
        await world.ingest(tenantId, documentsOf(["stays"]));
        await world.indexQueued();
        if (isDuring) await fillDuring(tenantId, () => change(tenantId));
        else {
          await two.reembed();
          await change(tenantId);
        }
        expect(await strayRows(tenantId, next), `${change.name} ${isDuring}`).toBe(0);
        await two.reembed();
        expect(Object.keys(await chunksOf(tenantId, next))).toEqual(Object.keys(await chunksOf(tenantId, 1)));
        expect(Object.keys(await chunksOf(tenantId, next))).toContain("stays");
      }
    }
  });

  it("leaves nothing of an erased user", async () => {
    for (const isDuring of [false, true]) {
      const tenantId = newTenant();
      await world.ingest(tenantId, documentsOf(["x", "y"], { user_id: "ann" }));
      await world.ingest(tenantId, documentsOf(["stays"], { user_id: "bob" }));
      await world.indexQueued();
      const erase = async (): Promise<void> => {
        await eraseWhole(world, { tenantId, userId: "ann" });
      };
      if (isDuring) await fillDuring(tenantId, erase);
      else {
        await two.reembed();
        await erase();
      }
      await two.reembed();
      const left = await world.rows(
        tenantId,
        "select distinct user_id from doc_embeddings where tenant_id = $1",
        tenantId,
      );
      expect(left.map((row) => row["user_id"])).toEqual(["bob"]);
    }
  });

  it("ends chunks of all models with their series, also where it ends while they are embedded", async () => {
    for (const isDuring of [false, true]) {
      const profiles = new TenantProfiles(world, newTenant());
      const put = async (value: string, date: number): Promise<void> => {
        expectOk(await profiles.put([{ key: "home_city", value, observed_at: day(date) }]));
        await world.indexQueued();
      };
      await put("The wing of the boundary layer", 1);
      const change = (): Promise<void> => put("The jet in the flow of the token", 5);
      if (isDuring) await fillDuring(profiles.tenant, change);
      else {
        await two.reembed();
        await change();
      }
      await two.reembed();
      const text = `select model_id, count(*) filter (where valid_until is null)::int as current, count(*)::int as n
        from doc_embeddings where tenant_id = $1 group by 1 order by 1`;
      const [own, shadow] = await world.rows(profiles.tenant, text, profiles.tenant);
      expect(own).toMatchObject({ current: 1, n: 2 });
      expect(shadow).toEqual({ ...own, model_id: next });
    }
  });

  it("notes what the model refuses once, with its code, and embeds the rest", async () => {
    const tenantId = newTenant();
    two.next.poison = "VENOM";
    await world.ingest(tenantId, [
      { id: "all", text: "VENOM is in the wing of the jet." },
      { id: "part", text: `${documentsOf(["p"])[0]?.text ?? ""} But VENOM is in the token of the layer here.` },
      { id: "fine", text: "The boundary layer of the wing is in the flow." },
    ]);
    await world.indexQueued();
    await two.reembed();
    const coverage = expectOk(await measureCoverage(world.database.sql, { tenantId, modelId: next }));
    expect(coverage).toMatchObject({ document_count: 3, covered_count: 2, refused_count: 2, missing_count: 0 });
    expect(coverage.refusals).toEqual({ text_refused: 2 });
    const embedded = two.next.embeddedTexts.length;
    await two.reembed();
    expect(two.next.embeddedTexts).toHaveLength(embedded);
    await world.ingest(tenantId, [{ id: "all", text: "The wing of the jet is clean now." }]);
    await world.indexQueued();
    await two.reembed();
    const later = expectOk(await measureCoverage(world.database.sql, { tenantId, modelId: next }));
    expect(later).toMatchObject({ covered_count: 3, refused_count: 1 });
  });

  it("counts the receipts of a document by its own model", async () => {
    const tenantId = newTenant();
    const walId = await world.ingest(tenantId, documentsOf(["a"]));
    await world.indexQueued();
    await two.reembed();
    const receipt = await readReceipt(world.context(), principalOf(tenantId), { id: `${walId}-0`, verify: true });
    expect(expectOk(receipt)).toMatchObject({ outcome: "indexed", proof: { holds: true, stale_chunk_count: 0 } });
  });
});

describe("a crash at any await of reembed", () => {
  it("leaves a store that the next run completes, each document once", async () => {
    const world = await openWorld();
    const two = new TwoModels(world);
    const next = await two.register();
    let isThrough = false;
    for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += 1) {
      const tenantId = newTenant();
      await world.ingest(tenantId, documentsOf(["a", "b"]));
      await world.indexQueued();
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      const model = { ...expectOk(await two.context().models.active()), modelId: next, ...two.next.served };
      const target = { tenantId, model, isActive: false };
      const fill = async (context: WorldContext): Promise<void> => {
        expectOk(await embedMissing(context, target, { tally: newFillTally(), isSpent: () => false }));
      };
      // The process is gone, whatever became of the call.
      await fill(two.context(crash)).catch(() => undefined);
      isThrough = !crash.hasCrashed;
      await fill(two.context());
      const coverage = expectOk(await measureCoverage(world.database.sql, { tenantId, modelId: next }));
      expect(coverage, `call ${callIndex}`).toMatchObject({ document_count: 2, covered_count: 2, missing_count: 0 });
      expect(coverage.embedded_documents, `call ${callIndex}`).toBe(2);
    }
    expect(isThrough).toBe(true);
    await world.close();
  });
});
