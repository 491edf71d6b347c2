import { useRef } from "preact/hooks";
import type { Api, ServiceError } from "../service/api.ts";
import { parseScrape, type Scrape } from "../service/prometheus.ts";
import { useLoaded } from "../service/use-loaded.ts";

export interface Scraped {
  readonly atMs: number;
  readonly scrape: Scrape;
}

/** A scrape every so often, milliseconds; and how many are kept: fifteen minutes. */
const EVERY_MS = 5_000;
const KEPT_MAX = 180;

/** The service's metrics since this page was opened, oldest first. */
export function useScrapes(api: Api): {
  readonly scrapes: readonly Scraped[];
  readonly error: ServiceError | undefined;
} {
  const kept = useRef<readonly Scraped[]>([]);
  const { value = [], error } = useLoaded(
    async (signal) => {
      const text = await api.text("/metrics", signal);
      kept.current = [...kept.current, { atMs: Date.now(), scrape: parseScrape(text) }].slice(-KEPT_MAX);
      return kept.current;
    },
    [api],
    EVERY_MS,
  );
  return { scrapes: value, error };
}
