/** What a load run leaves behind. */
import { z } from "zod";

/** Milliseconds; null where nothing was measured. */
const latencySchema = z.object({
  count: z.int(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
});
export type Latency = z.infer<typeof latencySchema>;

export const phaseKindSchema = z.enum(["bulk", "level", "overload", "recovery"]);
export type PhaseKind = z.infer<typeof phaseKindSchema>;

const secondSchema = z.object({
  /** Since the beginning of the run. */
  second: z.number(),
  accepted: z.int(),
  refused: z.int(),
  searchable: z.int(),
  chunks: z.int(),
  /** Documents that were accepted and are not searchable yet, at the end of the second. */
  backlog: z.int(),
});
export type Second = z.infer<typeof secondSchema>;

const phaseSchema = z.object({
  name: z.string(),
  kind: phaseKindSchema,
  /** Requests a second that were to be sent; null where clients sent as fast as they were let. */
  ratePerSecond: z.number().nullable(),
  /** Seconds since the beginning of the run: of its first request, of its last, and until its last document was searchable. */
  startSecond: z.number(),
  endSecond: z.number(),
  drainedSecond: z.number(),
  requests: z.object({
    sent: z.int(),
    accepted: z.int(),
    refused: z.int(),
    refusedWithoutRetryAfter: z.int(),
    /** Answered with something else, and not answered at all. */
    other: z.int(),
    unanswered: z.int(),
  }),
  /** What the edge said of the documents of accepted requests, and how they ended by their receipts. */
  verdicts: z.record(z.string(), z.int()),
  outcomes: z.record(z.string(), z.int()),
  /** Accepted, and without a receipt that says how it ended. */
  lost: z.int(),
  verified: z.object({ asked: z.int(), held: z.int() }),
  chunks: z.int(),
  chunksReused: z.int(),
  chunksPerSecond: z.number(),
  documentsPerSecond: z.number(),
  accept: latencySchema,
  refusal: latencySchema,
  searchable: latencySchema,
  searchableByToken: latencySchema,
  search: latencySchema,
  searchesFailed: z.int(),
  backlogMost: z.int(),
  /** Of a level: whether it holds, and why not. */
  verdict: z.object({ holds: z.boolean(), reasons: z.array(z.string()) }).nullable(),
  seconds: z.array(secondSchema),
});
export type Phase = z.infer<typeof phaseSchema>;

const recoverySchema = z.object({
  /** Seconds from the end of the overload until nothing accepted waited, and until requests were answered and searchable as before; null: not within the watch. */
  backlogGoneSeconds: z.number().nullable(),
  normalSeconds: z.number().nullable(),
  /** What "as before" is: twice the p95 of the lowest level. */
  acceptBelowMs: z.number(),
  searchableBelowMs: z.number(),
});
export type Recovery = z.infer<typeof recoverySchema>;

const memorySchema = z.object({
  part: z.string(),
  pid: z.int(),
  /** `[seconds since the beginning, MiB]` */
  samples: z.array(z.tuple([z.number(), z.number()])),
});

export const loadReportSchema = z.object({
  startedAt: z.iso.datetime(),
  machine: z.object({
    processor: z.string(),
    cores: z.int(),
    memoryGib: z.number(),
    node: z.string(),
    /** Load averages of one minute, before and after: what else ran beside it shows before. */
    loadBefore: z.number(),
    loadAfter: z.number(),
  }),
  options: z.object({
    database: z.string(),
    seed: z.int(),
    chunks: z.int(),
    charactersMin: z.int(),
    backlogMax: z.int(),
    searchableBoundMs: z.number(),
    overloadFactor: z.number(),
  }),
  /** Documents a second that became searchable while more than that was offered: the bulk load's. */
  capacityPerSecond: z.number(),
  holdsAtPerSecond: z.number().nullable(),
  bendsAtPerSecond: z.number().nullable(),
  phases: z.array(phaseSchema),
  recovery: recoverySchema.nullable(),
  memory: z.array(memorySchema),
  queue: z.array(
    z.object({
      second: z.number(),
      messages: z.number().nullable(),
      oldestSeconds: z.number().nullable(),
      walBacklogObjects: z.number().nullable(),
    }),
  ),
});
export type LoadReport = z.infer<typeof loadReportSchema>;
