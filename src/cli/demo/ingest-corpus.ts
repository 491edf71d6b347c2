import { z } from "zod";
import type { BatchStatus } from "../../lib/contract/batch.ts";
import type { DocumentInput } from "../../lib/contract/document.ts";
import type { ApiClient } from "../api-client.ts";
import { followBatch } from "../ingest/follow-batch.ts";
import { ProgressBar } from "../terminal/progress-bar.ts";
import { search } from "./print-hits.ts";

/** Documents of one request: small enough that the first ones are on their way at once. */
const DOCUMENTS_PER_REQUEST = 4;
/** Longest wait for the first hit. */
const STALLED_MS = 120_000;

const acceptedSchema = z.object({
  batch_tag: z.string(),
  token: z.string(),
  accepted: z.int(),
  quarantined: z.int(),
  rejected: z.int(),
});

export interface IngestOutcome {
  readonly status: BatchStatus;
  readonly postedMs: number;
  readonly totalMs: number;
  /** From the first request to the first hit of its documents. */
  readonly firstHitMs: number;
}

/** Posts the documents, then follows the batch until the store has counted each of them. */
export async function ingestCorpus(
  api: ApiClient,
  documents: readonly DocumentInput[],
  batchTag: string,
): Promise<IngestOutcome> {
  const startedAtMs = performance.now();
  const bar = new ProgressBar(process.stdout);
  let firstHit: Promise<number> | undefined;
  const judged = { accepted: 0, quarantined: 0, rejected: 0 };
  for (let start = 0; start < documents.length; start += DOCUMENTS_PER_REQUEST) {
    const body = { batch_tag: batchTag, documents: documents.slice(start, start + DOCUMENTS_PER_REQUEST) };
    const reply = await api.json(acceptedSchema, {
      method: "POST",
      path: "/v1/documents",
      json: body,
      headers: { "idempotency-key": `${batchTag}-${start}` },
    });
    judged.accepted += reply.accepted;
    judged.quarantined += reply.quarantined;
    judged.rejected += reply.rejected;
    firstHit ??= timeToFirstHit(api, reply.token, startedAtMs);
  }
  const postedMs = performance.now() - startedAtMs;
  const status = await followBatch(api, batchTag, {
    isAsked: () => false,
    onStatus: (current) =>
      bar.update(
        {
          done: current.document_count - current.pending_count,
          total: documents.length,
          ratePerSecond: current.documents_per_second,
          etaSeconds: current.eta_seconds,
          note: `accepted ${judged.accepted}  quarantined ${judged.quarantined}  rejected ${judged.rejected}  chunks ${current.chunk_count}`,
        },
        performance.now(),
      ),
  });
  bar.finish();
  return { status, postedMs, totalMs: performance.now() - startedAtMs, firstHitMs: (await firstHit) ?? Number.NaN };
}

async function timeToFirstHit(api: ApiClient, token: string, startedAtMs: number): Promise<number> {
  for (;;) {
    const reply = await search(api, { query: "the state of the union", k: 1, min_token: token, wait_ms: 1_000 });
    if (reply.hits.length > 0) return performance.now() - startedAtMs;
    if (performance.now() - startedAtMs > STALLED_MS) return Number.NaN;
  }
}
