/** Samples of one scrape by series id, as the exposition writes it: `name{label="value"}`. */
export type Scrape = ReadonlyMap<string, number>;

/** Lines of one scrape that are read at most: the service has at most 5,000 series, of which a histogram's take several lines. */
const LINES_MAX = 60_000;
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;

/** Reads Prometheus text 0.0.4. Comments, and lines of another form, are passed over. */
export function parseScrape(text: string): Scrape {
  const samples = new Map<string, number>();
  for (const line of text.split("\n", LINES_MAX)) {
    const found = line.startsWith("#") ? null : LINE.exec(line);
    const value = Number(found?.[3]?.replace("+Inf", "Infinity"));
    if (found === null || Number.isNaN(value)) continue;
    samples.set(found[2] === undefined ? (found[1] ?? "") : `${found[1]}{${found[2]}}`, value);
  }
  return samples;
}

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Values that a label may have, by label. */
export type LabelFilter = Readonly<Record<string, string | readonly string[]>>;

/** The series of one name whose labels fit. */
export function samplesOf(scrape: Scrape, name: string, labels: LabelFilter = {}): readonly Sample[] {
  const wanted = Object.entries(labels);
  const samples: Sample[] = [];
  for (const [series, value] of scrape) {
    if (series !== name && !series.startsWith(`${name}{`)) continue;
    const own = labelsOf(series);
    const fits = wanted.every(([label, values]) =>
      typeof values === "string" ? own[label] === values : values.includes(own[label] ?? ""),
    );
    if (fits) samples.push({ labels: own, value });
  }
  return samples;
}

/** Sum of them. */
export function sumOf(scrape: Scrape, name: string, labels: LabelFilter = {}): number {
  return samplesOf(scrape, name, labels).reduce((sum, { value }) => sum + value, 0);
}

function labelsOf(series: string): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [, name = "", value = ""] of series.matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="([^"]*)"/g)) labels[name] = value;
  return labels;
}

/**
 * Quantile of what a histogram counted between two scrapes, as Prometheus estimates it: linear inside the bucket. null where nothing was counted; the
 * highest bound where it lies above all of them.
 */
export function quantileBetween(
  before: Scrape,
  now: Scrape,
  histogram: { readonly name: string; readonly quantile: number; readonly labels?: LabelFilter },
): number | null {
  const { name, quantile, labels: wanted = {} } = histogram;
  const counts = new Map<number, number>();
  for (const [scrape, sign] of [
    [now, 1],
    [before, -1],
  ] as const) {
    for (const { labels, value } of samplesOf(scrape, `${name}_bucket`, wanted)) {
      const bound = Number((labels["le"] ?? "").replace("+Inf", "Infinity"));
      counts.set(bound, (counts.get(bound) ?? 0) + sign * value);
    }
  }
  const bounds = [...counts.keys()].sort((a, b) => a - b);
  const total = counts.get(Number.POSITIVE_INFINITY) ?? 0;
  if (total <= 0) return null;
  const rank = quantile * total;
  let lower = 0;
  let below = 0;
  for (const bound of bounds) {
    const upTo = counts.get(bound) ?? 0;
    if (upTo >= rank) {
      if (!Number.isFinite(bound)) return lower;
      return upTo === below ? bound : lower + ((bound - lower) * (rank - below)) / (upTo - below);
    }
    lower = bound;
    below = upTo;
  }
  return lower;
}
