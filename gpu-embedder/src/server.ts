import { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { assert } from "./base/assert.ts";
import { err, ok, type Result } from "./base/result.ts";
import type { Config } from "./config.ts";
import { TurnLine } from "./engine/turn-line.ts";
import { createApp } from "./http/app.ts";
import { BodyBudget } from "./http/body-budget.ts";
import {
  applyConnectionLimits,
  CONNECTION_LIMITS,
  serverOptionsOf,
  type ConnectionLimits,
} from "./http/connection-limits.ts";
import { Metrics } from "./http/metrics.ts";
import { judgeReadiness, type Readiness } from "./http/readiness.ts";
import type { Log } from "./log.ts";
import { startRuntime, type StartError } from "./runtime.ts";

/** A server that takes requests. */
export type RunningServer = {
  readonly port: number;
  readonly fingerprint: string;
  /** Resolves when the server cannot mend itself: whoever started it should start another one. */
  readonly broken: Promise<void>;
  /** Refuses new work, answers what was admitted, closes connections and threads. */
  readonly stop: () => Promise<void>;
};

/** Milliseconds between drain checks of idle connections. */
const CLOSE_GRACE_MS = 500;

async function listen(
  fetch: (request: Request) => Response | Promise<Response>,
  config: Config,
  limits: ConnectionLimits,
): Promise<Result<{ server: Server; port: number }, StartError>> {
  return new Promise((resolve) => {
    const serverOptions = serverOptionsOf(limits);
    // The host name stands in the URL of requests that name none (HTTP/1.0).
    const server = createAdaptorServer({ fetch, hostname: config.host, serverOptions });
    assert(server instanceof Server, "the adapter makes an HTTP/1.1 server unless told otherwise");
    applyConnectionLimits(server, limits);
    server.once("error", (cause) => resolve(err({ code: "listen_failed", detail: cause.message })));
    server.listen({ host: config.host, port: config.port, reusePort: config.reusePort }, () => {
      const address = server.address();
      assert(typeof address === "object" && address !== null, "a server that listens on a port has an address");
      resolve(ok({ server, port: address.port }));
    });
  });
}

/** Closes the listener; connections that are not idle after the grace time are cut. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  server.closeIdleConnections();
  await closed;
  clearTimeout(timer);
}

/** Provisions the model if need be, loads it, tests it and listens. Errors carry a stable code and a sentence for a person. */
export async function startServer(
  config: Config,
  environment: NodeJS.ProcessEnv,
  log: Log,
  connectionLimits: ConnectionLimits = CONNECTION_LIMITS,
): Promise<Result<RunningServer, StartError>> {
  const metrics = new Metrics();
  const started = await startRuntime(config, environment, metrics, log);
  if (!started.ok) return started;
  const { model, provider, device, engine, budget, selfCheck, sessionsWanted } = started.value;
  let stopping = false;
  const readiness = (): Readiness =>
    judgeReadiness({
      stopping,
      provider,
      device,
      selfTest: selfCheck.state,
      sessionsAlive: engine.sessionCount,
      sessionsWanted,
    });
  const service = {
    model,
    limits: config.limits,
    budget,
    engine,
    lines: { tokenizing: new TurnLine(), replying: new TurnLine() },
    prompts: new Map(Object.entries(model.config.prompts)),
  };
  const bodies = new BodyBudget(connectionLimits.bodiesSizeBytesMax);
  const app = createApp({ service, metrics, bodies, token: config.token, log, readiness });
  const listening = await listen(app.fetch, config, connectionLimits);
  if (!listening.ok) {
    selfCheck.stop();
    await engine.close();
    return listening;
  }
  const { server, port } = listening.value;
  return ok({
    port,
    fingerprint: model.fingerprint,
    broken: selfCheck.broken,
    async stop() {
      stopping = true;
      selfCheck.stop();
      await engine.drain();
      await closeServer(server);
      await engine.close();
    },
  });
}
