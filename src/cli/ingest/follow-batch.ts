import { setTimeout as sleep } from "node:timers/promises";
import { batchStatusSchema, type BatchStatus } from "../../lib/contract/batch.ts";
import type { ApiClient } from "../api-client.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-code.ts";

const POLL_EVERY_MS = 400;
/** Longest time without any progress before waiting ends; the batch itself goes on. */
const STALLED_MS = 120_000;

export interface FollowOptions {
  readonly onStatus: (status: BatchStatus) => void;
  readonly isAsked: () => boolean;
}

/** Polls a batch until each of its inputs has ended. Ends with code 130 at Ctrl-C, and fails when nothing moves for two minutes. */
export async function followBatch(api: ApiClient, batchTag: string, options: FollowOptions): Promise<BatchStatus> {
  let lastPending = Infinity;
  let progressedAtMs = performance.now();
  for (;;) {
    const status = await api.json(batchStatusSchema, { path: `/v1/batches/${encodeURIComponent(batchTag)}` });
    options.onStatus(status);
    if (status.state === "done" || status.state === "done_with_failures") return status;
    if (options.isAsked())
      throw new CommandError(`stopped waiting; all is sent: jeeves status ${batchTag} --watch`, EXIT.interrupted);
    if (status.pending_count < lastPending) {
      lastPending = status.pending_count;
      progressedAtMs = performance.now();
    }
    if (performance.now() - progressedAtMs > STALLED_MS)
      throw new CommandError(
        `nothing was indexed for ${STALLED_MS / 1000} s: ${status.pending_count} documents are pending`,
      );
    await sleep(POLL_EVERY_MS);
  }
}
