import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "../../src/lib/base/bytes.ts";
import { compareModelsSchema, modelCoverageSchema } from "../../src/lib/contract/model.ts";
import type { Embedder } from "../../src/lib/embed/embedder.ts";
import { compareModels } from "../../src/lib/flows/models/compare-models.ts";
import { DRIFT_PROBE_JOB } from "../../src/lib/flows/models/drift-probe-job.ts";
import { goldenSchema, manifestSchema, modelKeys } from "../../src/lib/flows/models/model-artifacts.ts";
import { modelCoverage } from "../../src/lib/flows/models/model-coverage.ts";
import { registerModel } from "../../src/lib/flows/models/register-model.ts";
import { GOLDEN_TEXTS } from "../../src/lib/model/golden-texts.ts";
import { expectOk } from "../support/database.ts";
import { smallTokenizerJson } from "../unit/model/small-tokenizer.ts";
import { CrashPoint } from "./support/crashing.ts";
import { HashEmbedder } from "./support/hash-embedder.ts";
import { runTicked } from "./support/run-ticked.ts";
import { TwoModels } from "./support/two-models.ts";
import { openWorld, type World, type WorldContext } from "./support/world.ts";

const CALLS_MAX = 80;

describe("the registry of models", () => {
  let world: World;
  let two: TwoModels;
  let next: number;
  beforeAll(async () => {
    world = await openWorld();
    two = new TwoModels(world);
    next = await two.register();
  });
  afterAll(() => world?.close());

  const bytesOf = async (key: string): Promise<Uint8Array<ArrayBuffer>> => {
    const object = await world.bucket.get(key);
    return new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0));
  };

  it("keeps what a model is in R2: tokenizer, info, golden vectors, and a manifest with their hashes", async () => {
    const { fingerprint } = two.next.served;
    const manifest = manifestSchema.parse(
      JSON.parse(new TextDecoder().decode(await bytesOf(modelKeys(fingerprint).manifest))),
    );
    expect(manifest.files.map(({ name }) => name)).toEqual(["tokenizer.json", "info.json", "golden-1.json"]);
    for (const { name, sha256, size_bytes: size } of manifest.files) {
      const bytes = await bytesOf(`models/${encodeURIComponent(fingerprint)}/${name}`);
      expect([bytes.length, await sha256Hex(bytes)], name).toEqual([size, sha256]);
    }
    const golden = goldenSchema.parse(
      JSON.parse(new TextDecoder().decode(await bytesOf(modelKeys(fingerprint).golden))),
    );
    expect(golden.vectors).toHaveLength(GOLDEN_TEXTS.length);
  });

  it("is the same when a model is registered again, and refuses another tokenizer under the same fingerprint", async () => {
    expect(await two.register()).toBe(next);
    const other = new HashEmbedder(two.next.served, smallTokenizerJson());
    const refused = await registerModel(two.context(), { embedder: other, activate: false });
    expect(refused).toMatchObject({ ok: false, error: { code: "conflict" } });
  });

  it("is whole after a crash at any await of a registration that is asked for again", async () => {
    let isThrough = false;
    for (let callIndex = 0; callIndex < CALLS_MAX && !isThrough; callIndex += 1) {
      const served = { fingerprint: `test:crash@${callIndex}`, dimensions: 6 };
      const embedder = new HashEmbedder(served, smallTokenizerJson());
      const crash = new CrashPoint({ callIndex, moment: callIndex % 2 === 0 ? "after" : "before" });
      const request = { embedder: crash.wrap<HashEmbedder>(embedder), activate: false };
      await registerModel(two.context(crash), request).catch(() => undefined);
      isThrough = !crash.hasCrashed;
      expectOk(await registerModel(two.context(), { embedder, activate: false }));
      expect(await world.bucket.head(modelKeys(served.fingerprint).manifest), `call ${callIndex}`).not.toBeNull();
    }
    expect(isThrough).toBe(true);
    await world.database.ownerSql.query({
      text: "delete from embedding_models where fingerprint like 'test:crash%'",
      params: [],
    });
  });

  describe("the drift probe", () => {
    const probe = async (context: WorldContext = two.context()) => expectOk(await runTicked(context, DRIFT_PROBE_JOB));

    it("finds each model as it was registered, and says which has no vectors to compare with", async () => {
      const run = await probe();
      expect(run.state).toBe("done");
      expect(run.report).toMatchObject({
        models: [
          { state: "active", code: "golden_missing" },
          { state: "shadow", code: null, changed: [], min_cosine: 1, mean_cosine: 1 },
        ],
      });
    });

    it("fails where a server gives other vectors under the same fingerprint, and names the text that moved most", async () => {
      const moved: Embedder = {
        info: () => two.next.info(),
        tokenizer: () => two.next.tokenizer(),
        embed: (texts, options) => two.next.embed(texts[0] === GOLDEN_TEXTS[4] ? ["something else"] : texts, options),
      };
      const context = two.context();
      const run = await probe({ ...context, embedder: moved });
      expect(run.state).toBe("failed");
      expect(run.report).toMatchObject({ models: [{}, { code: "golden_drifted", worst_text: 4 }] });
    });

    it("fails where a server says other things of the model, and only where the active model has no server", async () => {
      const { served } = two.next;
      two.next.served = { ...served, maxInputTokens: 48 };
      const changed = await probe();
      expect(changed.state).toBe("failed");
      expect(changed.report).toMatchObject({ models: [{}, { code: "info_changed", changed: ["max_input_tokens"] }] });
      two.next.served = { ...served, fingerprint: "somebody" };
      expect((await probe()).state).toBe("done");
      two.next.served = served;
      world.embedder.outage = { code: "embedder_unavailable" };
      const away = await probe();
      expect(away.state).toBe("failed");
      expect(away.report).toMatchObject({ models: [{ code: "unserved" }, { code: null }] });
      world.embedder.outage = undefined;
    });
  });

  it("compares two models on drawn and given queries, by numbers alone, and shows coverage with its costs", async () => {
    const words = ["wing", "jet", "flow", "layer", "token", "boundary"];
    const documents = Array.from({ length: 12 }, (_, number) => ({
      id: `d${number}`,
      title: `${words[number % 6]} ${words[(number * 5 + 1) % 6]} number ${number}`,
      text: `The ${words[number % 6]} of document ${number} is in the ${words[(number + 2) % 6]}, and ${number} times in the ${words[(number * 3) % 6]}.`,
    }));
    await world.ingest("compared", documents);
    await world.indexQueued();
    await two.reembed();
    const ask = (more: object) =>
      compareModels(two.context(), next, compareModelsSchema.parse({ tenant_id: "compared", k: 5, ...more }));
    const drawn = expectOk(await ask({ draw: 8 }));
    expect(drawn).toMatchObject({ query_count: 8, drawn: true, covered_count: drawn.document_count });
    expect(expectOk(await ask({ draw: 8 }))).toEqual(drawn);
    for (const { overlap_mean: overlap } of [drawn.vector, drawn.hybrid]) {
      expect(overlap).toBeGreaterThan(0);
      expect(overlap).toBeLessThan(1);
    }
    expect(drawn.hybrid.overlap_mean).toBeGreaterThan(drawn.vector.overlap_mean);
    const same = await compareModels(
      two.context(),
      1,
      compareModelsSchema.parse({ tenant_id: "compared", queries: ["wing of the jet"] }),
    );
    expect(expectOk(same)).toMatchObject({ drawn: false, vector: { overlap_mean: 1, rank_move_max: 0 } });
    const page = { modelId: next, afterTenant: "", tenantsMax: 10, millionTokensPrice: 2 };
    const coverage = expectOk(await modelCoverage(two.context(), page));
    expect(coverage).toMatchObject({
      next: null,
      tenants: [{ tenant_id: "compared", missing_count: 0, cost_left: 0 }],
    });
    const [tenant] = coverage.tenants;
    expect(Object.keys(tenant ?? {}).toSorted()).toEqual(Object.keys(modelCoverageSchema.shape).toSorted());
    expect(tenant?.cost).toBeCloseTo(((tenant?.embedded_tokens ?? 0) * 2) / 1_000_000, 12);
  });
});
