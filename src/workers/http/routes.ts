import type { Route } from "./route.ts";
import { ingestRoutes } from "./routes/ingest.ts";

/** Every route of the surface, area by area. */
export const ROUTES: readonly Route[] = [...ingestRoutes];
