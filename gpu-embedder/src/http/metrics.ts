/** Upper bounds in seconds, as text-embeddings-inference: 1e-5 x 1.5^n, 35 of them. */
const DURATION_BOUNDS_SECONDS = Array.from({ length: 35 }, (_, exponent) => 1e-5 * 1.5 ** exponent);

type Histogram = { readonly counts: number[]; sum: number; count: number };

/** Names, all from text-embeddings-inference, with their help text. Durations are in seconds. */
const COUNTERS = {
  te_request_count: "Requests received.",
  te_request_success: "Requests answered with embeddings.",
  te_request_failure: "Requests that failed, by reason.",
  te_embed_count: "Texts received for embedding.",
  te_embed_success: "Texts embedded.",
} as const;
const HISTOGRAMS = {
  te_request_duration: "Request time, seconds.",
  te_request_tokenization_duration: "Tokenization time of a request, seconds.",
  te_request_queue_duration: "Time a request waited for its first batch, seconds.",
  te_request_inference_duration: "Inference time of a request's batches, seconds.",
} as const;
const GAUGES = {
  te_queue_size: "Texts waiting.",
  te_batch_next_size: "Texts of the last batch.",
  te_batch_next_tokens: "Tokens of the last batch, padding left out.",
  te_batch_padding_ratio: "Share of the last batch that was padding.",
} as const;

export type CounterName = keyof typeof COUNTERS;
export type HistogramName = keyof typeof HISTOGRAMS;
export type GaugeName = keyof typeof GAUGES;
export type Labels = Readonly<Record<string, string>>;

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${value.replaceAll(/[\\"\n]/gu, "_")}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

/** Counters, gauges and histograms of the process in Prometheus' text format. Label values come from fixed lists only. */
export class Metrics {
  readonly #counters = new Map<CounterName, Map<string, number>>();
  readonly #gauges = new Map<GaugeName, number>();
  readonly #histograms = new Map<HistogramName, Histogram>();

  count(name: CounterName, labels: Labels = {}, amount = 1): void {
    const series = this.#counters.get(name) ?? new Map<string, number>();
    this.#counters.set(name, series);
    const key = labelText(labels);
    series.set(key, (series.get(key) ?? 0) + amount);
  }

  gauge(name: GaugeName, value: number): void {
    this.#gauges.set(name, value);
  }

  observe(name: HistogramName, seconds: number): void {
    const histogram = this.#histograms.get(name) ?? { counts: DURATION_BOUNDS_SECONDS.map(() => 0), sum: 0, count: 0 };
    this.#histograms.set(name, histogram);
    const index = DURATION_BOUNDS_SECONDS.findIndex((bound) => seconds <= bound);
    if (index >= 0) histogram.counts[index] = (histogram.counts[index] ?? 0) + 1;
    histogram.sum += seconds;
    histogram.count += 1;
  }

  /** Prometheus text exposition format 0.0.4. */
  text(): string {
    const lines: string[] = [];
    for (const [name, help] of Object.entries(COUNTERS)) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
      const series = [...this.#counters].find(([key]) => key === name)?.[1] ?? new Map([["", 0]]);
      for (const [labels, value] of series) lines.push(`${name}${labels} ${value}`);
    }
    for (const [name, help] of Object.entries(GAUGES)) {
      const value = [...this.#gauges].find(([key]) => key === name)?.[1] ?? 0;
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${value}`);
    }
    for (const [name, help] of Object.entries(HISTOGRAMS)) {
      const histogram = [...this.#histograms].find(([key]) => key === name)?.[1];
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`);
      let cumulative = 0;
      DURATION_BOUNDS_SECONDS.forEach((bound, index) => {
        cumulative += histogram?.counts[index] ?? 0;
        lines.push(`${name}_bucket{le="${bound}"} ${cumulative}`);
      });
      const count = histogram?.count ?? 0;
      lines.push(`${name}_bucket{le="+Inf"} ${count}`, `${name}_sum ${histogram?.sum ?? 0}`, `${name}_count ${count}`);
    }
    return `${lines.join("\n")}\n`;
  }
}
