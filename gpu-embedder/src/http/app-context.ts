import type { Log } from "../log.ts";
import type { BodyBudget } from "./body-budget.ts";
import type { EmbedService } from "./embed-service.ts";
import type { Metrics } from "./metrics.ts";
import type { Readiness } from "./readiness.ts";

/** What the routes work with. */
export type AppContext = {
  readonly service: EmbedService;
  readonly metrics: Metrics;
  readonly bodies: BodyBudget;
  /** The bearer token that every route but health asks for; undefined asks for none. */
  readonly token: string | undefined;
  readonly log: Log;
  readonly readiness: () => Readiness;
};
