/** A change of model in a tenant of more documents than one look at the store has, and than one run has time for. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { tenantPolicySchema } from "../../src/lib/contract/policy.ts";
import type { Embedder } from "../../src/lib/embed/embedder.ts";
import { measureCoverage } from "../../src/lib/flows/models/measure-coverage.ts";
import { promoteModel } from "../../src/lib/flows/models/promote-model.ts";
import { REEMBED_JOB } from "../../src/lib/flows/models/reembed-job.ts";
import { retireModel } from "../../src/lib/flows/models/retire-model.ts";
import { expectOk } from "../support/database.ts";
import { distinctLine } from "./support/distinct-text.ts";
import { runTicked } from "./support/run-ticked.ts";
import { TwoModels } from "./support/two-models.ts";
import { openWorld, type World, type WorldContext } from "./support/world.ts";

const TENANT = "many";
/** More than two looks at the store, of a thousand documents each. */
const DOCUMENTS = 2_300;
/** Documents of a request at most. */
const PER_REQUEST = 1_000;
/** More than promotion catches up by itself. */
const LACKING_MIN = 501;
const RUNS_MAX = 100;
/** One of the second thousand, that the new model refuses. */
const REFUSED = "d-1500";
const textOf = (id: string): string => `${distinctLine(id)}${id === REFUSED ? " VENOM." : ""}`;
const POLICY = tenantPolicySchema.parse({ duplicates: { near: false } });

describe("filling a model for thousands of documents", () => {
  let world: World;
  let two: TwoModels;
  let next: number;

  beforeAll(async () => {
    world = await openWorld();
    two = new TwoModels(world, { documentPrefix: "", maxInputTokens: 64 });
    next = await two.register();
    // The golden texts of its registration.
    two.next.embeddedTexts.length = 0;
    await send(Array.from({ length: DOCUMENTS }, (_, index) => `d-${index}`));
  }, 600_000);
  afterAll(() => world?.close());

  async function send(ids: readonly string[]): Promise<void> {
    for (let from = 0; from < ids.length; from += PER_REQUEST) {
      const documents = ids.slice(from, from + PER_REQUEST).map((id) => ({ id, text: textOf(id) }));
      await world.ingest(TENANT, documents, { policy: POLICY });
    }
    await world.indexQueued();
  }

  /** Each request of texts takes a second, and sees what is done meanwhile. */
  function slowContext(meanwhile: () => Promise<void> = async () => undefined): WorldContext {
    const context = two.context();
    const slow: Embedder = {
      info: () => context.embedder.info(),
      tokenizer: () => context.embedder.tokenizer(),
      embed: async (...asked) => {
        world.nowMs += 1_000;
        await meanwhile();
        return context.embedder.embed(...asked);
      },
    };
    return { ...context, embedder: slow, requestBudget: { textsMax: 64, tokensMax: 4_096 } };
  }

  const coverage = async () => expectOk(await measureCoverage(world.database.sql, { tenantId: TENANT, modelId: next }));

  /** Chunks under the model by document: how many documents there are, and how many of them have another number than one. */
  async function chunksOf(modelId: number): Promise<{ readonly documents: number; readonly wrong: number }> {
    const [row] = await world.rows(
      TENANT,
      `select count(*)::int as documents, (count(*) filter (where c.n <> 1))::int as wrong from documents d
         cross join lateral (select count(*) as n from doc_embeddings e where e.tenant_id = d.tenant_id and e.model_id = $1::int
           and e.document_uid = d.document_uid and e.generation = d.generation) c where d.deleted_at is null`,
      modelId,
    );
    return { documents: Number(row?.["documents"]), wrong: Number(row?.["wrong"]) };
  }

  it(
    "stops at its budget and goes on with the next run: nothing is skipped, nothing embedded twice",
    { timeout: 600_000 },
    async () => {
      two.next.poison = "VENOM";
      const covered: number[] = [];
      const states: string[] = [];
      let arrived = false;
      const arrive = async (): Promise<void> => {
        if (arrived || covered.length < 2) return;
        arrived = true;
        // Some of them before the place that the run has reached, some behind it.
        await send(Array.from({ length: 40 }, (_, index) => `late-${index}`));
      };
      for (let run = 0; run < RUNS_MAX && states.at(-1) !== "done"; run += 1) {
        const ended = expectOk(await runTicked(slowContext(arrive), REEMBED_JOB, { timeMsMax: 12_000 }));
        states.push(ended.state);
        covered.push((await coverage()).covered_count);
        if (run === 0) {
          const { missing_count: missing } = await coverage();
          expect(missing).toBeGreaterThanOrEqual(LACKING_MIN);
          expect(await promoteModel(two.context(), { modelId: next, isForced: false })).toMatchObject({
            ok: false,
            error: {
              code: "conflict",
              detail: `${missing} of ${DOCUMENTS} documents lack vectors of this model: run reembed until it is done`,
            },
          });
        }
      }
      expect(states.filter((state) => state === "partial").length).toBeGreaterThan(2);
      expect(covered).toEqual(covered.toSorted((a, b) => a - b));
      // What came while the last run was under way behind its place.
      expect((await two.reembed(slowContext())).state).toBe("done");
      const total = DOCUMENTS + 40;
      expect(await coverage()).toMatchObject({
        document_count: total,
        covered_count: total - 1,
        missing_count: 0,
        refused_count: 1,
        refusals: { text_refused: 1 },
        embedded_documents: total,
      });
      expect(await chunksOf(next)).toEqual({ documents: total, wrong: 1 });
      expect(await chunksOf(1)).toEqual({ documents: total, wrong: 0 });
      expect(two.next.embeddedTexts).toHaveLength(total - 1);
      expect(new Set(two.next.embeddedTexts).size).toBe(total - 1);
    },
  );

  it(
    "makes every document's rows its own after promotion, and removes all of a retired model, over many runs",
    { timeout: 600_000 },
    async () => {
      two.next.poison = "POISON";
      await world.rows(
        TENANT,
        "update model_refusals set refused_at = refused_at - interval '2 days', code = 'embedder_unavailable'",
      );
      await two.reembed();
      const promoted = expectOk(await promoteModel(two.context(), { modelId: next, isForced: false }));
      const total = promoted.document_count;
      expect(promoted).toMatchObject({ missing_count: 0, refused_count: 0 });
      const ownOf = async (modelId: number): Promise<number> => {
        const rows = await world.rows(
          TENANT,
          "select count(*)::int as n from documents where model_id = $1::int",
          modelId,
        );
        return Number(rows[0]?.["n"]);
      };
      expect(await ownOf(next)).toBe(0);
      let looks = 0;
      // Spent at the ninth look: some pages of documents at a time.
      const ticking = (): WorldContext => ({ ...two.context(), clock: () => (looks += 1) * 1_000 });
      let partialCount = 0;
      for (let run = 0; run < RUNS_MAX; run += 1) {
        const { state } = expectOk(await runTicked(ticking(), REEMBED_JOB, { timeMsMax: 8_000 }));
        if (state === "done") break;
        partialCount += 1;
      }
      expect(partialCount).toBeGreaterThan(0);
      expect(await ownOf(next)).toBe(total);
      expectOk(await retireModel(two.context(), 1));
      for (let run = 0; run < RUNS_MAX; run += 1)
        if (expectOk(await runTicked(ticking(), REEMBED_JOB, { timeMsMax: 8_000 })).state === "done") break;
      expect(await chunksOf(1)).toEqual({ documents: total, wrong: total });
      expect(await chunksOf(next)).toEqual({ documents: total, wrong: 0 });
      const [counted] = await world.rows(TENANT, "select sum(chunk_count)::int as n from scope_counts");
      expect(counted).toEqual({ n: total });
    },
  );
});

describe("a run that has no time for all models", () => {
  it("takes what the active one lacks before it goes on with one beside it", async () => {
    const world = await openWorld();
    const two = new TwoModels(world, { documentPrefix: "" });
    const next = await two.register();
    await world.ingest(
      TENANT,
      ["a", "b"].map((id) => ({ id, text: textOf(id) })),
    );
    await world.indexQueued();
    // Forced, while nothing can be embedded: searches find nothing until the job has come to it.
    two.next.outage = { code: "embedder_unavailable" };
    expectOk(await promoteModel(two.context(), { modelId: next, isForced: true }));
    two.next.outage = undefined;
    // The model of before, of which there is much to do as well.
    await world.rows(TENANT, "delete from doc_embeddings where model_id = 1");
    let looks = 0;
    const hasTimeForOne = { ...two.context(), clock: () => (looks += 1) * 1_000 };
    expectOk(await runTicked(hasTimeForOne, REEMBED_JOB, { timeMsMax: 3_000 }));
    const filled = await world.rows(TENANT, "select distinct model_id from doc_embeddings");
    expect(filled).toEqual([{ model_id: next }]);
    await two.reembed();
    expect(await world.rows(TENANT, "select distinct model_id from doc_embeddings")).toHaveLength(2);
    await world.close();
  });
});
