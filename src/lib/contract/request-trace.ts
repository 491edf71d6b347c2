/** The life of a request, or of the requests of a batch, as it can be told from what is stored. */
import { z } from "zod";
import { originSchema } from "./scope.ts";

export const TRACE_EVENTS = [
  "received",
  "durable",
  "held_back",
  "applied",
  "buried",
  "dead_letter",
  "resolved",
  "released",
  "purged",
  "reported",
] as const;

const traceEventSchema = z.object({
  at: z.iso.datetime(),
  event: z.enum(TRACE_EVENTS),
  /** null: it concerns the whole batch. */
  wal_id: z.string().nullable(),
  range_index: z.int().nullable(),
  input_count: z.int().nullable().describe("inputs that it concerns"),
  code: z.string().nullable(),
});
export type TraceEvent = z.infer<typeof traceEventSchema>;

const tracedRequestSchema = z.object({
  wal_id: z.string(),
  batch_tag: z.string(),
  request_id: z.string().nullable().describe("null where the WAL object is gone"),
  trace_id: z.string().nullable(),
  origin: originSchema.nullable(),
  input_count: z.int(),
  range_count: z.int(),
  pending_ranges: z.array(z.int()).describe("ranges that are neither applied nor buried"),
  outcomes: z.record(z.string(), z.int()).describe("inputs by how they ended"),
});
export type TracedRequest = z.infer<typeof tracedRequestSchema>;

export const requestTraceSchema = z.object({
  requests: z.array(tracedRequestSchema),
  events: z.array(traceEventSchema).describe("in order of time"),
  is_truncated: z.boolean().describe("there is more than is shown"),
});
export type RequestTrace = z.infer<typeof requestTraceSchema>;
