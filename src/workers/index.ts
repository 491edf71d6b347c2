/** Entry of the Worker: hands each event to its room. No logic here. */
import type { EmbedMessage } from "../lib/contract/queue-message.ts";
import { contextOf } from "./context.ts";
import { runCron } from "./cron.ts";
import { EnvError, type Env } from "./env.ts";
import { createApp } from "./http/app.ts";
import { respondUnconfigured } from "./http/respond.ts";
import { ROUTES } from "./http/routes.ts";
import { consume } from "./queues.ts";

export { MetricsHub } from "./objects/metrics-hub.ts";
export { SessionLog } from "./objects/session-log.ts";
export { SessionGate } from "./objects/session-gate.ts";

const app = createApp(ROUTES);

export default {
  async fetch(request, env, execution) {
    try {
      return await app(request, { context: contextOf(env), waitUntil: (work) => execution.waitUntil(work) });
    } catch (thrown) {
      if (thrown instanceof EnvError) return respondUnconfigured(thrown.message);
      throw thrown;
    }
  },
  async queue(batch, env) {
    const context = contextOf(env);
    await consume(batch, context);
    // The queue's next batch waits for the end of this one: a flush that waits for more to count would hold it back.
    await context.metrics.flushNow();
  },
  async scheduled(controller, env, execution) {
    const context = contextOf(env);
    // The next tick does the work: what throws here would throw again.
    controller.noRetry();
    try {
      await runCron(controller.cron, controller.scheduledTime, context);
    } finally {
      context.metrics.flushSoon((work) => execution.waitUntil(work));
    }
  },
} satisfies ExportedHandler<Env, EmbedMessage>;
