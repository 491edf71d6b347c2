/** Upper bounds in seconds, as text-embeddings-inference: 1e-5 x 1.5^n for n from 1 to 35. */
const DURATION_BOUNDS = Array.from({ length: 35 }, (_, index) => 1e-5 * 1.5 ** (index + 1));

function powersOfTwo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, exponent) => 2 ** exponent);
}

type Histogram = { readonly counts: number[]; sum: number; count: number };

/** Names with their help text. All but the last one of counters and gauges are text-embeddings-inference's. */
const COUNTERS = {
  te_request_count: "Requests received.",
  te_request_success: "Requests answered with embeddings.",
  te_request_failure: "Requests that failed, by reason.",
  te_embed_count: "Texts received for embedding.",
  te_embed_success: "Texts embedded.",
  te_batch_padding_tokens: "Tokens of padding computed; the sum of te_batch_next_tokens has those of texts.",
} as const;
const HISTOGRAMS = {
  te_request_duration: { help: "Request time, seconds.", bounds: DURATION_BOUNDS },
  te_request_tokenization_duration: { help: "Tokenization time of a request, seconds.", bounds: DURATION_BOUNDS },
  te_request_queue_duration: { help: "Time a request waited for its first batch, seconds.", bounds: DURATION_BOUNDS },
  te_request_inference_duration: { help: "Inference time of a request's batches, seconds.", bounds: DURATION_BOUNDS },
  te_request_input_length: { help: "Tokens of a text as it went through the model.", bounds: powersOfTwo(20) },
  te_embed_duration: { help: "te_request_duration, counted once for each text.", bounds: DURATION_BOUNDS },
  te_embed_tokenization_duration: { help: "Tokenization time, counted for each text.", bounds: DURATION_BOUNDS },
  te_embed_queue_duration: { help: "Queue time, counted for each text.", bounds: DURATION_BOUNDS },
  te_embed_inference_duration: { help: "Inference time, counted for each text.", bounds: DURATION_BOUNDS },
  te_batch_next_size: { help: "Texts of a batch.", bounds: powersOfTwo(13) },
  te_batch_next_tokens: { help: "Tokens of a batch, padding left out.", bounds: powersOfTwo(21) },
} as const;
const GAUGES = {
  te_queue_size: "Texts waiting.",
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
  readonly #counters = new Map<string, Map<string, number>>();
  readonly #gauges = new Map<string, number>();
  readonly #histograms = new Map<string, Histogram>();

  count(name: CounterName, labels: Labels = {}, amount = 1): void {
    const series = this.#counters.get(name) ?? new Map<string, number>();
    this.#counters.set(name, series);
    const key = labelText(labels);
    series.set(key, (series.get(key) ?? 0) + amount);
  }

  gauge(name: GaugeName, value: number): void {
    this.#gauges.set(name, value);
  }

  /** Adds a value to a histogram, `times` times. */
  observe(name: HistogramName, value: number, times = 1): void {
    const { bounds } = HISTOGRAMS[name];
    const histogram = this.#histograms.get(name) ?? { counts: bounds.map(() => 0), sum: 0, count: 0 };
    this.#histograms.set(name, histogram);
    const index = bounds.findIndex((bound) => value <= bound);
    if (index >= 0) histogram.counts[index] = (histogram.counts[index] ?? 0) + times;
    histogram.sum += value * times;
    histogram.count += times;
  }

  /** Prometheus text exposition format 0.0.4. */
  text(): string {
    const lines: string[] = [];
    for (const [name, help] of Object.entries(COUNTERS)) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`);
      for (const [labels, value] of this.#counters.get(name) ?? new Map([["", 0]])) {
        lines.push(`${name}${labels} ${value}`);
      }
    }
    for (const [name, help] of Object.entries(GAUGES)) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${this.#gauges.get(name) ?? 0}`);
    }
    for (const [name, { help, bounds }] of Object.entries(HISTOGRAMS)) {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} histogram`);
      const { counts, sum, count } = this.#histograms.get(name) ?? { counts: [], sum: 0, count: 0 };
      let cumulative = 0;
      bounds.forEach((bound, index) => {
        cumulative += counts[index] ?? 0;
        lines.push(`${name}_bucket{le="${bound}"} ${cumulative}`);
      });
      lines.push(`${name}_bucket{le="+Inf"} ${count}`, `${name}_sum ${sum}`, `${name}_count ${count}`);
    }
    return `${lines.join("\n")}\n`;
  }
}
