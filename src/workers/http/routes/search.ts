import { ok } from "../../../lib/base/result.ts";
import { searchReplySchema, searchRequestSchema } from "../../../lib/contract/search.ts";
import { search, type SearchContext } from "../../../lib/flows/searching/search.ts";
import { json } from "../respond.ts";
import { principalOf, route } from "../route.ts";

export const searchRoutes = [
  route({
    method: "POST",
    path: "/v1/search",
    operationId: "search",
    area: "search",
    summary: "Search the memory of a tenant and, where named, of one user",
    access: "search",
    body: searchRequestSchema,
    replies: { 200: { description: "Hits, best first", schema: searchReplySchema } },
    problems: ["user_forbidden", "no_active_model", "embedder_unavailable", "database_unavailable"],
    async handle(call, { body }) {
      const { metrics } = call.context;
      const noteSearch: SearchContext["noteSearch"] = ({ timings, degraded }) => {
        for (const [stage, tookMs] of Object.entries(timings))
          metrics.observe("search_stage_duration_seconds", { stage }, tookMs / 1000);
        for (const reason of degraded) metrics.count("search_degraded_total", { reason });
      };
      const reply = await search({ ...call.context, noteSearch }, principalOf(call), body);
      if (!reply.ok) return reply;
      const { hits, degraded, caught_up: caughtUp, path } = reply.value;
      Object.assign(call.facts, { hits: hits.length, degraded: degraded.join(","), caught_up: caughtUp, path });
      return ok(json(reply.value));
    },
  }),
];
