import { z } from "zod";
import type { BatchStatus } from "../../lib/contract/batch.ts";
import type { ApiClient } from "../api-client.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";
import { countText, plural } from "../report/number-text.ts";
import type { Interruption } from "../terminal/interruption.ts";
import { ProgressBar } from "../terminal/progress-bar.ts";
import { followBatch } from "./follow-batch.ts";
import type { IngestState } from "./ingest-state.ts";
import { type HashedDocument, planRequests } from "./plan-requests.ts";

const acceptedSchema = z.looseObject({
  batch_tag: z.string(),
  token: z.string(),
  accepted: z.int(),
  duplicate: z.int().default(0),
  quarantined: z.int(),
  rejected: z.int(),
});

export interface LiveIngest {
  readonly api: ApiClient;
  readonly state: IngestState;
  readonly interruption: Interruption;
  readonly batchTag: string;
  readonly isWaiting: boolean;
  readonly print: (line: string) => void;
}

export interface LiveOutcome {
  readonly sentCount: number;
  /** Accepted by the service in an earlier run. */
  readonly knownCount: number;
  readonly verdicts: {
    readonly accepted: number;
    readonly duplicate: number;
    readonly quarantined: number;
    readonly rejected: number;
  };
  /** null where nobody waited for it. */
  readonly status: BatchStatus | null;
}

/** Sends what the service has not accepted yet, then follows the batch to its end. */
export async function ingestLive(documents: readonly HashedDocument[], live: LiveIngest): Promise<LiveOutcome> {
  const missing = documents.filter(({ hash }) => !live.state.has(hash));
  const knownCount = documents.length - missing.length;
  if (knownCount > 0) live.print(`  ${countText(knownCount)} were accepted before and are not sent again`);
  const verdicts = await send(missing, live);
  if (!live.isWaiting || (missing.length === 0 && !(await isKnownBatch(live))))
    return { sentCount: missing.length, knownCount, verdicts, status: null };
  const bar = new ProgressBar(process.stderr);
  const status = await followBatch(live.api, live.batchTag, {
    isAsked: () => live.interruption.isAsked,
    onStatus: (current) =>
      bar.update(
        {
          done: current.document_count - current.pending_count,
          total: current.document_count,
          ratePerSecond: current.documents_per_second,
          etaSeconds: current.eta_seconds,
          note: `indexed, ${countText(current.chunk_count)} chunks`,
        },
        performance.now(),
      ),
  });
  bar.finish();
  return { sentCount: missing.length, knownCount, verdicts, status };
}

/** Everything may have gone in under another name. */
async function isKnownBatch({ api, batchTag }: LiveIngest): Promise<boolean> {
  const batches = z.looseObject({ batches: z.array(z.looseObject({ batch_tag: z.string() })) });
  const { batches: found } = await api.json(batches, { path: "/v1/batches?limit=500" });
  return found.some((batch) => batch.batch_tag === batchTag);
}

async function send(missing: readonly HashedDocument[], live: LiveIngest): Promise<LiveOutcome["verdicts"]> {
  const counts = { accepted: 0, duplicate: 0, quarantined: 0, rejected: 0 };
  const bar = new ProgressBar(process.stderr);
  const startedAtMs = performance.now();
  let done = 0;
  for (const { documents, idempotencyKey } of planRequests(missing, live.batchTag)) {
    if (live.interruption.isAsked)
      throw new CommandError(
        `stopped after ${countText(done)} of ${plural(missing.length, "document")}; the same command sends the rest`,
        EXIT.interrupted,
      );
    const reply = await live.api.json(acceptedSchema, {
      method: "POST",
      path: "/v1/documents",
      json: { batch_tag: live.batchTag, documents: documents.map(({ document }) => document) },
      headers: { "idempotency-key": idempotencyKey },
    });
    await live.state.add({ batch_tag: reply.batch_tag, token: reply.token, hashes: documents.map(({ hash }) => hash) });
    for (const name of ["accepted", "duplicate", "quarantined", "rejected"] as const) counts[name] += reply[name];
    done += documents.length;
    const seconds = (performance.now() - startedAtMs) / 1000;
    const note = `sent: ${counts.accepted} accepted, ${counts.duplicate} duplicate, ${counts.quarantined} quarantined, ${counts.rejected} rejected`;
    const etaSeconds = ((missing.length - done) / done) * seconds;
    bar.update({ done, total: missing.length, ratePerSecond: done / seconds, etaSeconds, note }, performance.now());
  }
  if (missing.length > 0) bar.finish();
  return counts;
}
