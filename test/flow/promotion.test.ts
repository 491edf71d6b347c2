import { afterAll, beforeEach, describe, expect, it } from "vitest";
import type { DocumentInput } from "../../src/lib/contract/document.ts";
import { indexRange } from "../../src/lib/flows/indexing/index-range.ts";
import { listModels } from "../../src/lib/flows/models/list-models.ts";
import { measureCoverage } from "../../src/lib/flows/models/measure-coverage.ts";
import { promoteModel } from "../../src/lib/flows/models/promote-model.ts";
import { retireModel } from "../../src/lib/flows/models/retire-model.ts";
import { rollBackModel } from "../../src/lib/flows/models/roll-back-model.ts";
import { search } from "../../src/lib/flows/searching/search.ts";
import { expectOk, statement } from "../support/database.ts";
import { availableBackends } from "../support/postgres-servers.ts";
import { CrashPoint } from "./support/crashing.ts";
import { distinctLine } from "./support/distinct-text.ts";
import { TwoModels } from "./support/two-models.ts";
import { openWorld, principalOf, type World, type WorldContext } from "./support/world.ts";

const backends = await availableBackends(["pglite", "native"]);
const TENANT = "changing";
const CALLS_MAX = 80;

/** One chunk under either model, so that its own text is its nearest. */
const documentOf = (id: string): DocumentInput => ({ id, text: distinctLine(id) });

describe.each(backends)("changing the active model on %s", (backend) => {
  let world: World;
  let two: TwoModels;
  let next: number;
  const opened: World[] = [];
  beforeEach(async () => {
    world = await openWorld(backend);
    opened.push(world);
    two = new TwoModels(world, { documentPrefix: "" });
    next = await two.register();
    await world.ingest(TENANT, ["a", "b", "c"].map(documentOf));
    await world.indexQueued();
  });
  afterAll(() => Promise.all(opened.map((each) => each.close())));

  const asked = (context: WorldContext) => ({ ...context, sleep: async (): Promise<void> => undefined });
  const promote = (isForced = false, context = two.context()) => promoteModel(context, { modelId: next, isForced });

  async function activeModel(): Promise<number | undefined> {
    const models = expectOk(await listModels(world.database.sql));
    return models.find(({ state }) => state === "active")?.model_id;
  }

  /** Ids found by their exact text, under the model that answered. */
  async function findAll(context: WorldContext, ids: readonly string[]) {
    const replies = await Promise.all(
      ids.map(async (id) => {
        const request = { query: documentOf(id).text, k: 3, mode: "vector", explain: true };
        return expectOk(await search(asked(context), principalOf(TENANT), request));
      }),
    );
    return {
      found: replies.filter((reply, index) => reply.hits[0]?.document_id === ids[index]).length,
      fingerprints: new Set(replies.map((reply) => reply.explain?.fingerprint)),
    };
  }

  it("is refused while documents lack its vectors or are refused by it, unless it is forced", async () => {
    two.next.poison = "VENOM";
    await world.ingest(TENANT, [{ id: "poison", text: "VENOM lies in the garden of the winter." }]);
    await world.indexQueued();
    await two.reembed();
    const refused = await promote();
    expect(refused).toMatchObject({ ok: false, error: { code: "conflict" } });
    expect(await activeModel()).toBe(1);
    expect(expectOk(await promote(true))).toMatchObject({ was_active: false, refused_count: 1 });
    expect(await activeModel()).toBe(next);
    expect(await promoteModel(two.context(), { modelId: 99, isForced: true })).toMatchObject({
      error: { code: "not_found" },
    });
  });

  it("catches up what came since the last run, and an isolate that believes the old model answers by the new one at once", async () => {
    const stale = two.context();
    expect(await findAll(stale, ["a"])).toMatchObject({ found: 1 });
    await two.reembed();
    await world.ingest(TENANT, [documentOf("late")]);
    await world.indexQueued();
    expect(expectOk(await promote())).toMatchObject({ missing_count: 1, caught_up_count: 1 });
    const all = await findAll(stale, ["a", "b", "c", "late"]);
    expect(all).toEqual({ found: 4, fingerprints: new Set([two.next.served.fingerprint]) });
  });

  it("makes a range in flight across it end with vectors of the new model, and holds others back while it lasts", async () => {
    await two.reembed();
    await world.ingest(TENANT, [documentOf("flying")]);
    const [message] = world.take();
    if (message === undefined) throw new Error("a message is queued");
    const context = two.context();
    const { embedder } = context;
    let changed: ReturnType<typeof promote> | undefined;
    const watched: WorldContext = {
      ...context,
      embedder: {
        ...embedder,
        info: () => embedder.info(),
        tokenizer: () => embedder.tokenizer(),
        embed: async (texts, options) => {
          const reply = await embedder.embed(texts, options);
          changed ??= promote();
          await changed;
          return reply;
        },
      },
    };
    expect(await indexRange(watched, message)).toMatchObject({ ok: false, error: { code: "serialization_failure" } });
    expect(await changed).toMatchObject({ ok: true, value: { was_active: false } });
    expectOk(await indexRange(watched, message));
    const rows = await world.rows(
      TENANT,
      "select distinct e.model_id from doc_embeddings e join documents d using (tenant_id, document_uid) where d.document_id = 'flying'",
    );
    expect(rows.map((row) => row["model_id"])).toEqual([next]);
    await world.database.ownerSql.query(
      statement("update embedding_models set held_until = now() + interval '1 hour' where state = 'active'"),
    );
    await world.ingest(TENANT, [documentOf("waiting")]);
    const [waiting] = world.take();
    if (waiting === undefined) throw new Error("a message is queued");
    const held = await indexRange(two.context(), waiting);
    expect(held).toMatchObject({ ok: false, error: { code: "serialization_failure" } });
    await world.database.ownerSql.query(
      statement("update embedding_models set held_until = now() - interval '1 second' where state = 'active'"),
    );
    expectOk(await indexRange(two.context(), waiting));
  });

  it("keeps every document findable by one model at a time, while searches, writes and the change go on beside each other", async () => {
    await two.reembed();
    const ids = ["a", "b", "c"];
    const isolates = [two.context(), two.context(), two.context()];
    const over = new AbortController();
    const fingerprints = new Set<string | undefined>();
    const founds = new Set<number>();
    const searching = isolates.map(async (isolate) => {
      for (let round = 0; round < 200 && !over.signal.aborted; round += 1) {
        const { found, fingerprints: used } = await findAll(isolate, ids);
        founds.add(found);
        for (const each of used) fingerprints.add(each);
      }
    });
    const writing = (async () => {
      for (let number = 0; number < 12; number += 1) {
        await world.ingest(TENANT, [documentOf(`w-${number}`)]);
        for (const message of world.take())
          for (let attempt = 0; attempt < 50; attempt += 1) if ((await indexRange(two.context(), message)).ok) break;
      }
    })();
    expectOk(await promote());
    await writing;
    await findAll(isolates[0] ?? two.context(), ids);
    over.abort();
    await Promise.all(searching);
    expect(founds).toEqual(new Set([3]));
    expect(fingerprints).toContain(two.next.served.fingerprint);
    await two.reembed();
    const written = Array.from({ length: 12 }, (_, number) => `w-${number}`);
    expect(await findAll(two.context(), written)).toMatchObject({ found: 12 });
    for (const modelId of [1, next]) {
      const coverage = expectOk(await measureCoverage(world.database.sql, { tenantId: TENANT, modelId }));
      expect(coverage).toMatchObject({ document_count: 15, covered_count: 15, missing_count: 0 });
    }
  });

  it("rolls back by one command, with what was indexed since, and the documents' own counts follow", async () => {
    await two.reembed();
    expectOk(await promote());
    await world.ingest(TENANT, [documentOf("since")]);
    for (const message of world.take()) expectOk(await indexRange(two.context(), message));
    expectOk(await rollBackModel(two.context(), { isForced: false }));
    expect(await activeModel()).toBe(1);
    const all = await findAll(two.context(), ["a", "b", "c", "since"]);
    expect(all).toEqual({ found: 4, fingerprints: new Set(["test:hash@1"]) });
    await two.reembed();
    const wrong = await world.rows(
      TENANT,
      `select document_id from documents d where model_id <> 1 or chunk_count <> (select count(*) from doc_embeddings e
         where e.tenant_id = d.tenant_id and e.model_id = 1 and e.document_uid = d.document_uid)`,
    );
    expect(wrong).toEqual([]);
    expectOk(await rollBackModel(two.context(), { isForced: false }));
    expect(await activeModel()).toBe(next);
  });

  it("retires what is not active and what no document needs, and the job removes it", async () => {
    await two.reembed();
    expect(await retireModel(two.context(), 1)).toMatchObject({ ok: false, error: { code: "conflict" } });
    expectOk(await promote());
    expect(await retireModel(two.context(), 1)).toMatchObject({ ok: false, error: { code: "conflict" } });
    await two.reembed();
    expectOk(await retireModel(two.context(), 1));
    expectOk(await retireModel(two.context(), 1));
    await two.reembed();
    for (const table of ["doc_embeddings", "scope_counts", "model_progress", "model_refusals", "lexeme_stats"])
      expect(await world.rows(TENANT, `select 1 from ${table} where model_id = 1`), table).toEqual([]);
    expect(await findAll(two.context(), ["a", "b", "c"])).toMatchObject({ found: 3 });
    expect(await promoteModel(two.context(), { modelId: 1, isForced: true })).toMatchObject({
      error: { code: "conflict" },
    });
  });

  it("is whole after a crash at any await: one model is active, and asking again completes it", async () => {
    await two.reembed();
    let from = 1;
    let to = next;
    let isThrough = false;
    for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += 1) {
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      await promoteModel(two.context(crash), { modelId: to, isForced: false }).catch(() => undefined);
      isThrough = !crash.hasCrashed;
      expect([from, to]).toContain(await activeModel());
      expect(await findAll(two.context(), ["a", "b", "c"])).toMatchObject({ found: 3 });
      expectOk(await promoteModel(two.context(), { modelId: to, isForced: false }));
      expect(await activeModel()).toBe(to);
      [from, to] = [to, from];
    }
    expect(isThrough).toBe(true);
  });
});
