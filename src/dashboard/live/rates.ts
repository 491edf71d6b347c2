import { quantileBetween, samplesOf, sumOf, type Scrape } from "../service/prometheus.ts";
import type { Scraped } from "./use-scrapes.ts";

type LabelFilter = Readonly<Record<string, string | readonly string[]>>;

/** Increase per second between each scrape and the one before it; a counter that fell was started anew. null at the first. */
export function ratesOf(
  scrapes: readonly Scraped[],
  name: string,
  labels: LabelFilter = {},
): readonly (number | null)[] {
  return scrapes.map(({ atMs, scrape }, index) => {
    const before = scrapes[index - 1];
    if (before === undefined || atMs <= before.atMs) return null;
    const now = sumOf(scrape, name, labels);
    const then = sumOf(before.scrape, name, labels);
    return (now >= then ? now - then : now) / ((atMs - before.atMs) / 1000);
  });
}

/** Scrapes over which a quantile is taken: with fewer, one slow request would be a mountain. */
const WINDOW = 12;

/** Quantile of a histogram over the last minute before each scrape, seconds. */
export function quantilesOf(scrapes: readonly Scraped[], name: string, quantile: number): readonly (number | null)[] {
  return scrapes.map(({ scrape }, index) => {
    const before = scrapes[Math.max(0, index - WINDOW)];
    return index === 0 || before === undefined ? null : quantileBetween(before.scrape, scrape, name, quantile);
  });
}

/** Counter per value of a label, as the service has counted since it was set up. */
export function countsBy(
  scrape: Scrape,
  name: string,
  label: string,
): readonly { readonly name: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { labels, value } of samplesOf(scrape, name)) {
    const key = labels[label] ?? "";
    counts.set(key, (counts.get(key) ?? 0) + value);
  }
  return [...counts].map(([key, count]) => ({ name: key, count }));
}
