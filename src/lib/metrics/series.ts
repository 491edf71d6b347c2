import { ISOLATION_PLACES } from "../contract/problem.ts";
import {
  BUCKETS_SECONDS,
  type CounterName,
  type GaugeName,
  GAUGES,
  type HistogramName,
  type LabelsOf,
  METRICS,
  type TimeMetricName,
} from "./metric-names.ts";

export type Labels = Readonly<Record<string, string | number>>;

/** Increments by series id: what an isolate gathers and the hub merges. Merging is commutative, so order does not matter. */
export type Increments = ReadonlyMap<string, number>;

/** How two values of a series become one: of times the later stands, of gauges the one that came last, others are added up. */
export function mergeOf(series: string): "add" | "latest" | "last" {
  const name = series.split("{", 1)[0] ?? "";
  if (name.endsWith("_timestamp_seconds")) return "latest";
  return (GAUGES as readonly string[]).includes(name) ? "last" : "add";
}

/** Id of a series as it stands in the exposition: `name{label="value"}`, labels sorted. */
export function seriesId(name: string, labels: Labels): string {
  const parts = Object.keys(labels)
    .sort()
    .map((label) => `${label}="${String(labels[label]).replace(/[\\"\n]/g, "_")}"`);
  return parts.length === 0 ? name : `${name}{${parts.join(",")}}`;
}

/** Gathers increments until they are taken. Bounded: a series beyond the limit is counted under `metrics_dropped_total`. */
export class CounterBuffer {
  #increments = new Map<string, number>();
  readonly #seriesMax: number;

  constructor(seriesMax: number) {
    this.#seriesMax = seriesMax;
  }

  get isEmpty(): boolean {
    return this.#increments.size === 0;
  }

  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by = 1): void {
    if (by > 0) this.#merge(seriesId(name, labels), by);
  }

  /** Notes a time, seconds since 1970. */
  note<N extends TimeMetricName>(name: N, labels: LabelsOf<N>, seconds: number): void {
    this.#merge(seriesId(name, labels), seconds);
  }

  /** Sets a gauge. */
  set(name: GaugeName, labels: Labels, value: number): void {
    this.#merge(seriesId(name, labels), value);
  }

  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, seconds: number): void {
    for (const bound of BUCKETS_SECONDS[name]) {
      if (seconds <= bound) {
        this.#merge(seriesId(`${name}_bucket`, { ...labels, le: bound }), 1);
        break;
      }
    }
    this.#merge(seriesId(`${name}_sum`, labels), seconds);
    this.#merge(seriesId(`${name}_count`, labels), 1);
  }

  /** Hands over what was gathered and starts again from nothing. */
  take(): Map<string, number> {
    const taken = this.#increments;
    this.#increments = new Map();
    return taken;
  }

  #merge(series: string, by: number): void {
    const id =
      this.#increments.size < this.#seriesMax || this.#increments.has(series) ? series : "metrics_dropped_total";
    const before = this.#increments.get(id) ?? 0;
    const merged = { add: before + by, latest: Math.max(before, by), last: by };
    this.#increments.set(id, merged[mergeOf(id)]);
  }
}

/** Counters that alerts watch from their first event on: without a 0 before it, Prometheus sees no increase. */
const FROM_ZERO: readonly string[] = [
  ...ISOLATION_PLACES.map((place) => seriesId("isolation_violations_total", { place })),
  ...["embed", "seal"].map((queue) => seriesId("dead_letters_total", { queue, code: "attempts_exhausted" })),
  "cron_unknown_total",
  "metrics_dropped_total",
];

/** Prometheus text (exposition format 0.0.4) of totals by series id. Buckets are stored by themselves and summed up here. */
export function renderPrometheus(totals: Increments): string {
  const lines: string[] = [];
  const zeros = FROM_ZERO.filter((id) => !totals.has(id)).map((id) => [id, 0] as const);
  const shown = [...totals, ...zeros, ...fallbackFractions(totals)];
  for (const [name, metric] of Object.entries(METRICS)) {
    const own = shown.filter(([id]) => belongsTo(id, name, metric.type)).sort(([a], [b]) => (a < b ? -1 : 1));
    if (own.length === 0) continue;
    lines.push(`# HELP ${name} ${metric.help}`, `# TYPE ${name} ${metric.type}`);
    if (isHistogram(name)) lines.push(...renderHistogram(name, new Map(own)));
    else lines.push(...own.map(([id, value]) => `${id} ${value}`));
  }
  return `${lines.join("\n")}\n`;
}

/** `fallback_fraction` of each source that had an input let in. */
function fallbackFractions(totals: Increments): [string, number][] {
  const letIn = /^ingest_source_inputs_total(\{outcome="(?:accepted|duplicate)",(source="[^"]*"\}))$/;
  const accepted = new Map<string, number>();
  for (const [id, count] of totals) {
    const source = letIn.exec(id)?.[2];
    if (source !== undefined) accepted.set(source, (accepted.get(source) ?? 0) + count);
  }
  return [...accepted].map(([source, count]) => {
    const relaxed = totals.get(`ingest_relaxed_total{${source}`) ?? 0;
    return [`fallback_fraction{${source}`, Math.round((relaxed / count) * 10_000) / 10_000];
  });
}

function belongsTo(id: string, name: string, type: "counter" | "histogram" | "gauge"): boolean {
  const base = id.split("{", 1)[0];
  return type !== "histogram"
    ? base === name
    : base === `${name}_bucket` || base === `${name}_sum` || base === `${name}_count`;
}

function isHistogram(name: string): name is HistogramName {
  return name in BUCKETS_SECONDS;
}

function renderHistogram(name: HistogramName, own: Increments): string[] {
  const lines: string[] = [];
  for (const [countId, count] of own) {
    if (!countId.startsWith(`${name}_count`)) continue;
    const labels = countId.slice(`${name}_count`.length).replace(/^\{|\}$/g, "");
    let below = 0;
    for (const bound of BUCKETS_SECONDS[name]) {
      const sorted = [...(labels === "" ? [] : labels.split(",")), `le="${bound}"`].sort();
      below += own.get(`${name}_bucket{${sorted.join(",")}}`) ?? 0;
      lines.push(`${name}_bucket{${labels === "" ? "" : `${labels},`}le="${bound}"} ${below}`);
    }
    lines.push(`${name}_bucket{${labels === "" ? "" : `${labels},`}le="+Inf"} ${count}`);
    const wrapped = labels === "" ? "" : `{${labels}}`;
    lines.push(`${name}_sum${wrapped} ${own.get(`${name}_sum${wrapped}`) ?? 0}`, `${name}_count${wrapped} ${count}`);
  }
  return lines;
}
