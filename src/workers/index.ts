/** Entry of the Worker: hands each event to its room. No logic here. */
import type { EmbedMessage } from "../lib/contract/queue-message.ts";
import { contextOf } from "./context.ts";
import { runCron } from "./cron.ts";
import type { Env } from "./env.ts";
import { createApp } from "./http/app.ts";
import { ROUTES } from "./http/routes.ts";
import { consume } from "./queues.ts";

export { MetricsHub } from "./objects/metrics-hub.ts";

const app = createApp(ROUTES);

export default {
  fetch: (request, env, execution) =>
    app(request, { context: contextOf(env), waitUntil: (work) => execution.waitUntil(work) }),
  async queue(batch, env, execution) {
    const context = contextOf(env);
    await consume(batch, context);
    context.metrics.flushSoon((work) => execution.waitUntil(work));
  },
  async scheduled(controller, env, execution) {
    const context = contextOf(env);
    await runCron(controller.cron, controller.scheduledTime, context);
    context.metrics.flushSoon((work) => execution.waitUntil(work));
  },
} satisfies ExportedHandler<Env, EmbedMessage>;
