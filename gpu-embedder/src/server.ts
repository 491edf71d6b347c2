import { serve, type ServerType } from "@hono/node-server";
import { err, ok, type Result } from "./base/result.ts";
import type { Config } from "./config.ts";
import { EmbeddingEngine } from "./engine/embedding-engine.ts";
import { selfTest } from "./engine/self-test.ts";
import { planSessions, startSessions } from "./engine/start-sessions.ts";
import { createApp } from "./http/app.ts";
import { Metrics } from "./http/metrics.ts";
import type { Log } from "./log.ts";
import { loadModel } from "./model/loaded-model.ts";

/** A server that takes requests. */
export type RunningServer = {
  readonly port: number;
  readonly fingerprint: string;
  /** Refuses new work, answers what was admitted, closes connections and threads. */
  readonly stop: () => Promise<void>;
};

export type StartError = { readonly code: string; readonly detail: string };

/** Padding that a batch may hold, as a share; see BatchQueue. */
const PADDING_SHARE_MAX = 0.06;
/** Milliseconds between drain checks of idle connections. */
const CLOSE_GRACE_MS = 500;

function createEngine(config: Config, padTokenId: number, metrics: Metrics, log: Log): EmbeddingEngine {
  const { limits } = config;
  return new EmbeddingEngine(
    {
      budget: { tokensMax: limits.batchTokensMax, textsMax: limits.batchTextsMax, paddingShareMax: PADDING_SHARE_MAX },
      queueTokensMax: limits.queueTokensMax,
      requestsMax: limits.requestsMax,
      padTokenId,
    },
    {
      batchStarted(textCount, tokenCount, paddedTokenCount) {
        metrics.gauge("te_batch_next_size", textCount);
        metrics.gauge("te_batch_next_tokens", tokenCount);
        metrics.gauge("te_batch_padding_ratio", 1 - tokenCount / paddedTokenCount);
      },
      threadEnded: () => log("inference_thread_ended"),
    },
    () => performance.now(),
  );
}

async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  config: Config,
): Promise<Result<{ server: ServerType; port: number }, StartError>> {
  return new Promise((resolve) => {
    const server = serve({ fetch, hostname: config.host, port: config.port }, (address) =>
      resolve(ok({ server, port: address.port })),
    );
    server.once("error", (cause) => resolve(err({ code: "listen_failed", detail: cause.message })));
  });
}

/** Closes the listener; connections that are idle after the grace time are cut. */
async function closeServer(server: ServerType): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const timer = setTimeout(
    () => ("closeAllConnections" in server ? server.closeAllConnections() : undefined),
    CLOSE_GRACE_MS,
  );
  if ("closeIdleConnections" in server) server.closeIdleConnections();
  await closed;
  clearTimeout(timer);
}

/** Provisions the model if need be, loads it, tests it and listens. Errors carry a stable code and a sentence for a person. */
export async function startServer(
  config: Config,
  environment: NodeJS.ProcessEnv,
  log: Log,
): Promise<Result<RunningServer, StartError>> {
  const { modelFolder: folder, modelId, precision } = config;
  const loaded = await loadModel({ folder, modelId, precision, environment });
  if (!loaded.ok) return loaded;
  const model = loaded.value;
  const metrics = new Metrics();
  const engine = createEngine(config, model.config.padTokenId, metrics, log);
  try {
    await startSessions(engine, planSessions(config.threadCount, config.bulkNiceness), model);
  } catch (cause) {
    return err({
      code: "model_not_loadable",
      detail: cause instanceof Error ? cause.message : "the session did not start",
    });
  }
  const fault = await selfTest(engine, model.tokenizer, model.config.hiddenSize);
  if (fault !== undefined) return err({ code: "self_test_failed", detail: fault });

  let stopping = false;
  const notReadyReason = (): string | undefined => {
    if (stopping) return "shutting_down";
    return engine.sessionCount < config.threadCount + 1 ? "inference_thread_missing" : undefined;
  };
  const service = { model, limits: config.limits, engine };
  const app = createApp({ service, metrics, token: config.token, log, notReadyReason });
  const listening = await listen(app.fetch, config);
  if (!listening.ok) {
    await engine.close();
    return listening;
  }
  const { server, port } = listening.value;
  return ok({
    port,
    fingerprint: model.fingerprint,
    async stop() {
      stopping = true;
      await engine.drain();
      await closeServer(server);
      await engine.close();
    },
  });
}
