import { z } from "zod";
import { ok } from "../../../lib/base/result.ts";
import { readinessSchema, type Readiness } from "../../../lib/contract/readiness.ts";
import { readiness } from "../../../lib/flows/readiness.ts";
import { renderPrometheus } from "../../../lib/metrics/series.ts";
import { scrapedGauges } from "../../scraped-gauges.ts";
import { json, text } from "../respond.ts";
import { route } from "../route.ts";

/** A readiness is told again for this long, milliseconds: the route is open to anyone and asks four systems. */
const READINESS_FRESH_MS = 2_000;

let last: { readonly atMs: number; readonly readiness: Readiness } | undefined;

export const operationRoutes = [
  route({
    method: "GET",
    path: "/livez",
    operationId: "livez",
    area: "operations",
    summary: "Whether the Worker runs",
    access: "public",
    replies: { 200: { description: "It does", schema: z.object({ live: z.literal(true) }) } },
    problems: [],
    handle: async () => ok(json({ live: true })),
  }),
  route({
    method: "GET",
    path: "/readyz",
    operationId: "readyz",
    area: "operations",
    summary: "Whether database, storage, queue and embedder can be used, each with its latency and reason",
    access: "public",
    replies: {
      200: { description: "Ready", schema: readinessSchema },
      503: { description: "Not ready", schema: readinessSchema },
    },
    problems: [],
    async handle({ context }) {
      const nowMs = context.clock();
      if (last === undefined || nowMs - last.atMs >= READINESS_FRESH_MS)
        last = { atMs: nowMs, readiness: await readiness(context) };
      const found = last.readiness;
      return ok(json(found, found.ready ? 200 : 503, found.ready ? {} : { "retry-after": "5" }));
    },
  }),
  route({
    method: "GET",
    path: "/metrics",
    operationId: "metrics",
    area: "operations",
    summary: "Metrics in Prometheus text; for the metrics token or an operator's key",
    access: "metrics",
    replies: { 200: { description: "Prometheus text format 0.0.4", mediaType: "text/plain" } },
    problems: [],
    async handle({ context }) {
      const [totals, scraped] = await Promise.all([context.metrics.totals(), scrapedGauges(context)]);
      return ok(text(renderPrometheus(new Map([...totals, ...scraped])), "text/plain; version=0.0.4"));
    },
  }),
];
