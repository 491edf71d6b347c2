import type { R2Bucket } from "@cloudflare/workers-types";
import { MINUTE_MS } from "../../base/durations.ts";
import type { Embedder, EmbedderInfo } from "../../embed/embedder.ts";
import { goldenDrift } from "../../model/golden-drift.ts";
import { GOLDEN_TEXTS } from "../../model/golden-texts.ts";
import type { Job, JobContext } from "../jobs/job.ts";
import { embedGolden, goldenVectors } from "./embed-golden.ts";
import { listStoredModels, type StoredModel } from "./list-models.ts";
import { goldenSchema, modelInfoOf, modelInfoSchema, modelKeys, readPart } from "./model-artifacts.ts";

interface ProbeContext extends JobContext {
  readonly bucket: R2Bucket;
  readonly embedder: Embedder;
  readonly embedders: readonly Embedder[];
}

/** What was found of one model. */
interface ProbedModel {
  readonly model_id: number;
  readonly fingerprint: string;
  readonly state: StoredModel["state"];
  /**
   * null: as it was registered. `golden_drifted`, `info_changed`: its server is not what it says it is. `golden_missing`: it was registered before vectors
   * were kept; registering it again keeps them. `unserved`: no server runs it; otherwise why it could not be looked at.
   */
  readonly code: string | null;
  /** Fields of info.json that differ. */
  readonly changed: readonly string[];
  readonly min_cosine: number | null;
  readonly mean_cosine: number | null;
  /** Place of the text that moved most in the list of golden texts. */
  readonly worst_text: number | null;
}

/**
 * Least cosine of one golden text and on average. A server gives the same vector again, in int8 too (1.0000 alone, also under load); in a batch with
 * others int8 moved by 0.9872 at most and 0.9984 on average; the same weights in another precision by 0.9805 and 0.9902 (docs/models.md).
 */
const COSINE_MIN = 0.985;
const MEAN_COSINE_MIN = 0.995;

/** States of a model without a server in which nobody has to be told: one that is kept for a roll-back may have none. */
const QUIET: ReadonlySet<string> = new Set(["unserved", "golden_missing"]);

/** Embeds the golden texts again and compares them with those of the registration: a server that gives other vectors under the same name is found. */
export const DRIFT_PROBE_JOB: Job<ProbeContext, { readonly models: readonly ProbedModel[] }> = {
  name: "drift_probe",
  summary: "embeds the golden texts of each model again and compares their vectors with those of its registration",
  cron: "0 4 * * *",
  timeMsMax: 2 * MINUTE_MS,
  async run(context, run) {
    const stored = await listStoredModels(context.sql);
    if (!stored.ok) return { report: { models: [] }, outcome: "failed", cursor: {} };
    const served = await servedInfos(context.embedders);
    const models: ProbedModel[] = [];
    for (const model of stored.value.filter(({ state }) => state !== "retired")) {
      if (run.budget.isSpent()) return { report: { models }, outcome: "partial", cursor: {} };
      models.push(await probe(context, model, served.get(model.fingerprint)));
    }
    return {
      report: { models },
      outcome: models.some(isAlarming) ? "failed" : "done",
      cursor: {},
      gauges: models.flatMap(gaugesOf),
    };
  },
};

function isAlarming({ code, state }: ProbedModel): boolean {
  return code !== null && (state === "active" ? code !== "golden_missing" : !QUIET.has(code));
}

function gaugesOf({ state, min_cosine: min, mean_cosine: mean }: ProbedModel) {
  if (min === null || mean === null) return [];
  const name = "model_golden_cosine" as const;
  return [
    { name, labels: { state, statistic: "min" }, value: min },
    { name, labels: { state, statistic: "mean" }, value: mean },
  ];
}

/** What the servers say of themselves, by fingerprint. */
async function servedInfos(embedders: readonly Embedder[]): Promise<ReadonlyMap<string, EmbedderInfo>> {
  const infos = await Promise.all(embedders.map((embedder) => embedder.info()));
  return new Map(infos.flatMap((info) => (info.ok ? [[info.value.fingerprint, info.value] as const] : [])));
}

async function probe(
  { bucket, embedder }: ProbeContext,
  { model_id, fingerprint, state }: StoredModel,
  served: EmbedderInfo | undefined,
): Promise<ProbedModel> {
  const unknown = { model_id, fingerprint, state, changed: [], min_cosine: null, mean_cosine: null, worst_text: null };
  if (served === undefined) return { ...unknown, code: "unserved" };
  const keys = modelKeys(fingerprint);
  const info = await readPart(bucket, keys.info, modelInfoSchema);
  const golden = await readPart(bucket, keys.golden, goldenSchema);
  if (!info.ok) return { ...unknown, code: info.error.code };
  if (!golden.ok) return { ...unknown, code: golden.error.code };
  if (info.value === null || golden.value === null) return { ...unknown, code: "golden_missing" };
  const before = goldenVectors(golden.value.vectors);
  if (before?.length !== GOLDEN_TEXTS.length) return { ...unknown, code: "golden_damaged" };
  const after = await embedGolden(embedder, fingerprint);
  if (!after.ok) return { ...unknown, code: after.error.code };
  const { minCosine, meanCosine, worstIndex } = goldenDrift(before, after.value);
  const changed = differingFields(info.value, modelInfoOf(served));
  const hasDrifted = minCosine < COSINE_MIN || meanCosine < MEAN_COSINE_MIN;
  return {
    ...unknown,
    code: hasDrifted ? "golden_drifted" : changed.length > 0 ? "info_changed" : null,
    changed,
    min_cosine: minCosine,
    mean_cosine: meanCosine,
    worst_text: worstIndex,
  };
}

function differingFields(before: object, after: object): readonly string[] {
  const now = new Map<string, unknown>(Object.entries(after));
  return Object.entries(before).flatMap(([name, value]: [string, unknown]) => (now.get(name) === value ? [] : [name]));
}
