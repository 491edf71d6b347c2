import type { RequestTrace, TracedRequest, TraceEvent } from "../../lib/contract/request-trace.ts";
import { countText, plural } from "../report/number-text.ts";
import { style } from "../terminal/style.ts";

/** A trace as lines: each request, then the events with their distance from the first one. */
export function traceLines({ requests, events, is_truncated: isTruncated }: RequestTrace): readonly string[] {
  const startMs = Date.parse(events[0]?.at ?? "");
  const place = placesOf(requests);
  return [
    ...requests.flatMap(requestLines),
    ...events.map((event) => `  ${offsetText(Date.parse(event.at) - startMs)}  ${eventText(event, place)}`),
    ...requests.flatMap((request) => pendingLine(request, place)),
    ...(isTruncated ? ["  … there is more than is shown"] : []),
  ];
}

/** Several requests are told apart by a number. */
function placesOf(requests: readonly TracedRequest[]): ReadonlyMap<string, string> {
  if (requests.length < 2) return new Map();
  return new Map(requests.map((request, index) => [request.wal_id, `request ${index + 1}: `]));
}

function requestLines(request: TracedRequest): readonly string[] {
  const outcomes = Object.entries(request.outcomes).map(([name, count]) => `${countText(count)} ${name}`);
  const size = `${plural(request.input_count, "input")} in ${plural(request.range_count, "range")}`;
  const ids = [
    `batch ${request.batch_tag}`,
    `request ${request.request_id ?? "unknown"}`,
    `trace ${request.trace_id ?? "unknown"}`,
  ];
  return [
    `${style.bold(request.wal_id)}  ${size}${outcomes.length === 0 ? "" : `: ${outcomes.join(", ")}`}`,
    `  ${style.dim(ids.join(" · "))}`,
  ];
}

/** Ten characters, right-aligned. */
function offsetText(offsetMs: number): string {
  const text = offsetMs < 1_000 ? `+${offsetMs} ms` : `+${(offsetMs / 1_000).toFixed(3)} s`;
  return style.dim(text.padStart(10));
}

const WORDS: Readonly<Record<TraceEvent["event"], string>> = {
  received: "received",
  durable: "durable in R2, its pointers on the way to the queue",
  held_back: "texts of quarantined inputs set apart",
  applied: "applied: searchable",
  buried: "buried: it cannot be applied",
  dead_letter: "dead letter",
  resolved: "dead letter resolved",
  released: "released from quarantine",
  purged: "purged from quarantine",
  reported: "report of the batch written",
};

function eventText(event: TraceEvent, place: ReadonlyMap<string, string>): string {
  const range = event.range_index === null ? "" : `range ${event.range_index + 1} `;
  const code = event.code === null ? "" : ` (${event.code})`;
  const count = event.input_count === null ? "" : style.dim(`  ${plural(event.input_count, "input")}`);
  return `${place.get(event.wal_id ?? "") ?? ""}${range}${WORDS[event.event]}${code}${count}`;
}

function pendingLine(request: TracedRequest, place: ReadonlyMap<string, string>): readonly string[] {
  const { pending_ranges: pending } = request;
  if (pending.length === 0) return [];
  const ranges = pending.map((index) => index + 1).join(", ");
  return [`  ${style.yellow("pending")}  ${place.get(request.wal_id) ?? ""}range ${ranges}`];
}
