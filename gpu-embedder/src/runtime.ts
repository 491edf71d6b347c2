import { err, ok, type Result } from "./base/result.ts";
import type { Config } from "./config.ts";
import type { BatchBudget } from "./engine/batch-queue.ts";
import { chooseProvider, probeCuda } from "./engine/choose-provider.ts";
import { EmbeddingEngine } from "./engine/embedding-engine.ts";
import { PROVIDER_TUNING, type Provider, type ProviderTuning } from "./engine/provider.ts";
import { selfTest } from "./engine/self-test.ts";
import { planDeviceSessions, planSessions, startSessions } from "./engine/start-sessions.ts";
import type { Metrics } from "./http/metrics.ts";
import type { Log } from "./log.ts";
import { loadModel, type LoadedModel } from "./model/loaded-model.ts";
import { SELF_TEST_INTERVAL_MS, SelfCheck } from "./self-check.ts";

/** A loaded model with the sessions that run it. */
export type Runtime = {
  readonly model: LoadedModel;
  readonly provider: Provider;
  /** The device as a person would name it. */
  readonly device: string;
  readonly engine: EmbeddingEngine;
  readonly budget: BatchBudget;
  readonly selfCheck: SelfCheck;
  readonly sessionsWanted: number;
};

export type StartError = { readonly code: string; readonly detail: string };

type Parts = { readonly config: Config; readonly tuning: ProviderTuning; readonly metrics: Metrics; readonly log: Log };

function createEngine(
  { config, tuning, metrics, log }: Parts,
  padTokenId: number,
  budget: BatchBudget,
): EmbeddingEngine {
  const { requestsMax } = config.limits;
  const queueTokensMax = config.limits.queueTokensMax ?? tuning.queueTokensMax;
  return new EmbeddingEngine(
    { budget, queueTokensMax, requestsMax, padTokenId, sequenceMultiple: tuning.sequenceMultiple },
    {
      batchStarted(textCount, tokenCount, paddedTokenCount) {
        metrics.observe("te_batch_next_size", textCount);
        metrics.observe("te_batch_next_tokens", tokenCount);
        metrics.count("te_batch_padding_tokens", {}, paddedTokenCount - tokenCount);
        metrics.gauge("te_batch_padding_ratio", 1 - tokenCount / paddedTokenCount);
      },
      threadEnded: () => log("inference_thread_ended"),
    },
    () => performance.now(),
  );
}

/** Where to run, said in the log when CUDA was looked for and not had. */
async function providerOf(config: Config, log: Log): Promise<Result<Provider, StartError>> {
  const chosen = await chooseProvider(config.provider, config.deviceId, probeCuda);
  if (!chosen.ok) return chosen;
  const { provider, cudaFailure } = chosen.value;
  log("provider_chosen", { provider, ...(cudaFailure === undefined ? {} : { cuda: cudaFailure }) });
  return ok(provider);
}

function modelOf(config: Config, tuning: ProviderTuning, environment: NodeJS.ProcessEnv): ReturnType<typeof loadModel> {
  const { modelFolder: folder, cacheFolder, modelId, onnxPath, prompts } = config;
  const precision = config.precision ?? tuning.precision;
  return loadModel({ folder, cacheFolder, modelId, precision, onnxPath, prompts, environment });
}

/** The self-test, run once; it goes on by itself when it passed. */
async function checkedBySelf(
  engine: EmbeddingEngine,
  model: LoadedModel,
  log: Log,
): Promise<Result<SelfCheck, StartError>> {
  const selfCheck = new SelfCheck({
    test: () => selfTest(engine, model.tokenizer, model.config.hiddenSize),
    nowMs: () => performance.now(),
    intervalMs: SELF_TEST_INTERVAL_MS,
    onFault: (fault) => log("self_test_failed", { fault }),
  });
  const fault = await selfCheck.run();
  if (fault !== undefined) return err({ code: "self_test_failed", detail: fault });
  selfCheck.start();
  return ok(selfCheck);
}

/**
 * Chooses the provider, provisions and loads the model, starts its sessions and tests them. Errors carry a stable code and a sentence for
 * a person; `cuda_unavailable` where CUDA is required and does not work.
 */
export async function startRuntime(
  config: Config,
  environment: NodeJS.ProcessEnv,
  metrics: Metrics,
  log: Log,
): Promise<Result<Runtime, StartError>> {
  const chosen = await providerOf(config, log);
  if (!chosen.ok) return chosen;
  const provider = chosen.value;
  const tuning = PROVIDER_TUNING[provider];
  const loaded = await modelOf(config, tuning, environment);
  if (!loaded.ok) return loaded;
  const model = loaded.value;
  const budget: BatchBudget = {
    tokensMax: config.limits.batchTokensMax ?? tuning.batchTokensMax,
    textsMax: tuning.batchTextsMax,
    paddingShareMax: tuning.paddingShareMax,
    paddingTokensFree: tuning.paddingTokensFree,
    unpaddedTokensEnough: tuning.unpaddedTokensEnough,
  };
  const engine = createEngine({ config, tuning, metrics, log }, model.config.padTokenId, budget);
  const plans = provider === "cuda" ? planDeviceSessions() : planSessions(config.threadCount, config.bulkNiceness);
  const graph = {
    graphPath: model.graphPath,
    pooling: model.config.pooling,
    provider,
    deviceId: config.deviceId,
  };
  try {
    const onRestartFailed = (detail: string): void => log("inference_thread_not_restarted", { detail });
    await startSessions({ engine, graph, onRestartFailed }, plans);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : "the session did not start";
    return err({ code: "model_not_loadable", detail });
  }
  const selfCheck = await checkedBySelf(engine, model, log);
  if (!selfCheck.ok) return selfCheck;
  const device = provider === "cuda" ? `cuda:${config.deviceId}` : "cpu";
  return ok({
    model,
    provider,
    device,
    engine,
    budget,
    selfCheck: selfCheck.value,
    sessionsWanted: plans.length,
  });
}
