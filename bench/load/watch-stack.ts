/** What each process of the stack holds, and what waits in the queue, once a second, from outside. */
import { pidsByPart, STACK_PARTS, type StackPart } from "../end-to-end/part-usage.ts";
import { residentMib } from "../support/resident-memory.ts";
import { nowMs } from "./send-document.ts";

export interface StackSample {
  readonly atMs: number;
  /** Resident memory by process, MiB. Pages that Postgres' processes share count in each of them. */
  readonly processes: readonly { readonly part: StackPart; readonly pid: number; readonly residentMib: number }[];
  /** Messages in the queue of ingest, as `/metrics` says; null where it did not answer. */
  readonly queueMessages: number | null;
  readonly queueOldestSeconds: number | null;
  /** WAL objects that were left behind, as the sweeper's last round found them. */
  readonly walBacklogObjects: number | null;
}

const EVERY_MS = 1_000;
/** A scrape that takes longer is left out. */
const SCRAPE_TIMEOUT_MS = 5_000;

/** Samples until `end` is called. */
export function watchStack(stack: { readonly url: string; readonly pids: readonly number[] }, key: string) {
  const samples: StackSample[] = [];
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const startedMs = performance.now();
      const atMs = nowMs();
      const pids = pidsByPart(stack.pids);
      const processes = STACK_PARTS.flatMap((part) =>
        [...new Set(pids[part])].map((pid) => ({ part, pid, residentMib: residentMib(pid) ?? 0 })),
      );
      const text = await scrape(stack.url, key);
      samples.push({
        atMs,
        processes,
        queueMessages: seriesValue(text, 'queue_backlog_messages{queue="embed"}'),
        queueOldestSeconds: seriesValue(text, 'queue_oldest_message_age_seconds{queue="embed"}'),
        walBacklogObjects: seriesValue(text, "wal_backlog_objects"),
      });
      await new Promise((resolve) => setTimeout(resolve, Math.max(0, EVERY_MS - (performance.now() - startedMs))));
    }
  };
  const watching = watch();
  return {
    async end(): Promise<readonly StackSample[]> {
      over.abort();
      await watching;
      return samples;
    },
  };
}

async function scrape(url: string, key: string): Promise<string> {
  try {
    const headers = { authorization: `Bearer ${key}` };
    const response = await fetch(`${url.replace(/\/$/, "")}/metrics`, {
      headers,
      signal: AbortSignal.timeout(SCRAPE_TIMEOUT_MS),
    });
    return response.ok ? await response.text() : "";
  } catch {
    return "";
  }
}

/** Value of one series of Prometheus' text format; null where it is missing. Pure. */
export function seriesValue(text: string, series: string): number | null {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1).split(" ")[0]);
}
