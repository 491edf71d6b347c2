/** The counters of one isolate, on their way to the hub. */
import type { CounterName, GaugeName, HistogramName, LabelsOf, TimeMetricName } from "../lib/metrics/metric-names.ts";
import { CounterBuffer, type Labels } from "../lib/metrics/series.ts";

/** Increments wait this long for others before they are sent, milliseconds. */
const FLUSH_AFTER_MS = 1_000;
/** Series of one isolate between two flushes. */
const SERIES_MAX = 1_000;

/** The hub as an isolate reaches it: see `MetricsHub`. */
export interface MetricsHubs {
  getByName(name: string): {
    add(flushId: string, increments: readonly (readonly [series: string, by: number])[]): Promise<{ added: boolean }>;
    read(): Promise<[series: string, value: number][]>;
  };
}

type WaitUntil = (work: Promise<unknown>) => void;

export interface Metrics {
  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void;
  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, seconds: number): void;
  /** Notes when something last happened, seconds since 1970. */
  note<N extends TimeMetricName>(name: N, labels: LabelsOf<N>, seconds: number): void;
  /** Sets a gauge: for runs of jobs, of which there is one at a time. */
  set(name: GaugeName, labels: Labels, value: number): void;
  /** Sees to it that what was counted reaches the hub, at most once a second and isolate. */
  flushSoon(waitUntil: WaitUntil): void;
  /** Sends what was counted at once. For invocations that the platform does not count as over before their `waitUntil` is. Never rejects. */
  flushNow(): Promise<void>;
  /** All totals of the hub, this isolate's counters included. */
  totals(): Promise<Map<string, number>>;
}

interface Flush {
  readonly id: string;
  readonly increments: [string, number][];
}

export function createMetrics(hubs: MetricsHubs): Metrics {
  const buffer = new CounterBuffer(SERIES_MAX);
  let unsent: Flush | undefined;
  let flushing = false;

  const hub = () => hubs.getByName("hub");

  // A flush keeps its id until it succeeded, so that the hub adds it once even when a reply was lost.
  async function flush(): Promise<void> {
    for (;;) {
      unsent ??= buffer.isEmpty ? undefined : { id: crypto.randomUUID(), increments: [...buffer.take()] };
      const flushed = unsent;
      if (flushed === undefined) return;
      await hub().add(flushed.id, flushed.increments);
      // Another invocation may have sent this one as well, and have the next one under way.
      if (unsent === flushed) unsent = undefined;
    }
  }

  async function flushLater(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, FLUSH_AFTER_MS));
    flushing = false;
    await flush().catch(() => undefined);
  }

  return {
    count: (name, labels, by) => buffer.count(name, labels, by),
    observe: (name, labels, seconds) => buffer.observe(name, labels, seconds),
    note: (name, labels, seconds) => buffer.note(name, labels, seconds),
    set: (name, labels, value) => buffer.set(name, labels, value),
    flushSoon(waitUntil) {
      if (flushing) return;
      flushing = true;
      waitUntil(flushLater());
    },
    flushNow: () => flush().catch(() => undefined),
    async totals() {
      await flush();
      return new Map(await hub().read());
    },
  };
}
