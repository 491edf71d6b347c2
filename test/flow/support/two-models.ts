import { createEmbedderPool } from "../../../src/lib/embed/embedder-pool.ts";
import type { EmbedderInfo } from "../../../src/lib/embed/embedder.ts";
import { REEMBED_JOB } from "../../../src/lib/flows/models/reembed-job.ts";
import { registerModel } from "../../../src/lib/flows/models/register-model.ts";
import type { JobRunReport } from "../../../src/lib/contract/job.ts";
import { expectOk } from "../../support/database.ts";
import { smallTokenizerJson } from "../../unit/model/small-tokenizer.ts";
import { CrashPoint } from "./crashing.ts";
import { HashEmbedder } from "./hash-embedder.ts";
import { runTicked } from "./run-ticked.ts";
import type { World, WorldContext } from "./world.ts";

/** Other vectors of other dimensions, and shorter texts: documents are cut otherwise. */
const NEXT: Partial<EmbedderInfo> = {
  fingerprint: "test:hash@2",
  modelName: "hash-next",
  revision: "2",
  dimensions: 6,
  maxInputTokens: 40,
  documentPrefix: "the ",
};

/** A world in which a second embedding server runs. */
export class TwoModels {
  readonly next: HashEmbedder;
  readonly #world: World;

  constructor(world: World, served: Partial<EmbedderInfo> = {}) {
    this.#world = world;
    this.next = new HashEmbedder({ ...NEXT, ...served }, smallTokenizerJson("Whitespace"));
  }

  context(crash = new CrashPoint(undefined)): WorldContext {
    const base = this.#world.context(crash);
    const embedders = [base.embedders[0], crash.wrap<HashEmbedder>(this.next)] as const;
    return { ...base, embedders, embedder: createEmbedderPool(embedders, () => this.#world.nowMs) };
  }

  /** Registers the second server's model, as a shadow; its number. */
  async register(): Promise<number> {
    const context = this.context();
    return expectOk(await registerModel(context, { embedder: this.next, activate: false })).model_id;
  }

  /** Runs of the job until it has nothing left to do. */
  async reembed(context: WorldContext = this.context()): Promise<JobRunReport> {
    for (;;) {
      const run = expectOk(await runTicked(context, REEMBED_JOB));
      if (run.state !== "partial") return run;
    }
  }
}
