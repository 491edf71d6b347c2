/** From rows and objects to requests and events in order of time. Pure. */
import type { z } from "zod";
import type { TracedRequest, TraceEvent } from "../../contract/request-trace.ts";
import type {
  tracedDeadLetterRowSchema,
  tracedDecisionRowSchema,
  tracedOutcomeRowSchema,
  tracedRangeRowSchema,
  tracedReportRowSchema,
} from "../../db/queries/request-trace.ts";
import type { StoredRequestFacts } from "./read-stored-requests.ts";

export interface TracedRows {
  readonly ranges: readonly z.infer<typeof tracedRangeRowSchema>[];
  readonly outcomes: readonly z.infer<typeof tracedOutcomeRowSchema>[];
  readonly deadLetters: readonly z.infer<typeof tracedDeadLetterRowSchema>[];
  readonly decisions: readonly z.infer<typeof tracedDecisionRowSchema>[];
  readonly reports: readonly z.infer<typeof tracedReportRowSchema>[];
}

/** The requests of which anything is left: an object, or a row of the ledger. */
export function requestsOf(facts: readonly StoredRequestFacts[], rows: TracedRows): readonly TracedRequest[] {
  return facts.flatMap((fact) => {
    const ranges = rows.ranges.filter((row) => row.wal_id === fact.walId);
    const [first] = ranges;
    if (fact.durableAt === undefined && first === undefined) return [];
    const rangeCount = Math.max(fact.rangeCount, ranges.length);
    const ended = new Set(ranges.map((row) => row.range_index));
    const outcomes = rows.outcomes.filter((row) => row.wal_id === fact.walId);
    const endedCount = ranges.reduce((sum, row) => sum + row.document_count, 0);
    return {
      wal_id: fact.walId,
      batch_tag: fact.head?.batch_tag ?? first?.batch_tag ?? "",
      request_id: fact.head?.request_id ?? null,
      trace_id: fact.head?.trace_id ?? null,
      origin: fact.head?.origin ?? null,
      input_count: Math.max(fact.inputCount, endedCount),
      range_count: rangeCount,
      pending_ranges: Array.from({ length: rangeCount }, (_, index) => index).filter((index) => !ended.has(index)),
      outcomes: Object.fromEntries(outcomes.map((row) => [row.outcome, row.input_count])),
    };
  });
}

/** What stands first where two have one time. */
const ORDER: readonly TraceEvent["event"][] = ["received", "held_back", "durable"];

export function eventsOf(facts: readonly StoredRequestFacts[], rows: TracedRows): readonly TraceEvent[] {
  const events = [
    ...facts.flatMap(storedEvents),
    ...rows.ranges.map((row) =>
      event(row.applied_at, row.state === "applied" ? "applied" : "buried", {
        wal_id: row.wal_id,
        range_index: row.range_index,
        input_count: row.document_count,
      }),
    ),
    ...rows.deadLetters.flatMap((row) => {
      const { wal_id, range_index, code } = row;
      const place = { wal_id, range_index, code };
      const written = event(row.created_at, "dead_letter", place);
      return row.resolved_at === null ? [written] : [written, event(row.resolved_at, "resolved", place)];
    }),
    ...rows.decisions.map((row) =>
      event(row.decided_at, row.state === "purged" ? "purged" : "released", {
        wal_id: row.wal_id,
        input_count: row.input_count,
      }),
    ),
    ...rows.reports.map((row) => event(row.updated_at, "reported", {})),
  ];
  const rank = (each: TraceEvent): number => {
    const place = ORDER.indexOf(each.event);
    return place === -1 ? ORDER.length : place;
  };
  return events.sort((a, b) => (a.at === b.at ? rank(a) - rank(b) : a.at < b.at ? -1 : 1));
}

function storedEvents({ walId, head, durableAt, heldBackAt, inputCount }: StoredRequestFacts): TraceEvent[] {
  const events: TraceEvent[] = [];
  const place = { wal_id: walId, input_count: inputCount };
  if (head !== undefined) events.push(event(new Date(head.received_at_ms), "received", place));
  if (heldBackAt !== undefined) events.push(event(heldBackAt, "held_back", { wal_id: walId }));
  if (durableAt !== undefined) events.push(event(durableAt, "durable", place));
  return events;
}

function event(at: Date, name: TraceEvent["event"], facts: Partial<TraceEvent>): TraceEvent {
  return {
    wal_id: null,
    range_index: null,
    input_count: null,
    code: null,
    ...facts,
    at: at.toISOString(),
    event: name,
  };
}
