import type { AnyMetricName, CounterName, HistogramName } from "../../lib/metrics/metric-names.ts";
import { type LabelFilter, quantileBetween, samplesOf, sumOf, type Scrape } from "../service/prometheus.ts";
import type { Scraped } from "./use-scrapes.ts";

/** A counter's total over the series that fit. Here and below, names are those of the service's own table: one that it has not does not compile. */
export function totalOf(scrape: Scrape, name: CounterName, labels: LabelFilter = {}): number {
  return sumOf(scrape, name, labels);
}

/** A gauge without labels; undefined where it was not measured yet. */
export function gaugeOf(scrape: Scrape, name: AnyMetricName): number | undefined {
  return samplesOf(scrape, name)[0]?.value;
}

/** Sum of a gauge over its series; undefined where it was not measured yet. */
export function gaugeTotalOf(scrape: Scrape, name: AnyMetricName): number | undefined {
  const samples = samplesOf(scrape, name);
  return samples.length === 0 ? undefined : sumOf(scrape, name);
}

/** Increase per second between each scrape and the one before it; a counter that fell was started anew. null at the first. */
export function ratesOf(
  scrapes: readonly Scraped[],
  name: CounterName,
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
export function quantilesOf(
  scrapes: readonly Scraped[],
  histogram: { readonly name: HistogramName; readonly quantile: number; readonly labels?: LabelFilter },
): readonly (number | null)[] {
  return scrapes.map(({ scrape }, index) => {
    const before = scrapes[Math.max(0, index - WINDOW)];
    return index === 0 || before === undefined ? null : quantileBetween(before.scrape, scrape, histogram);
  });
}

/** Counter per value of a label, as the service has counted since it was set up. */
export function countsBy(
  scrape: Scrape,
  name: CounterName,
  label: string,
): readonly { readonly name: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const { labels, value } of samplesOf(scrape, name)) {
    const key = labels[label] ?? "";
    counts.set(key, (counts.get(key) ?? 0) + value);
  }
  return [...counts].map(([key, count]) => ({ name: key, count }));
}
