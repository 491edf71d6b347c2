import type { R2Bucket } from "@cloudflare/workers-types";
import { listPages } from "../../bucket/list-objects.ts";

interface Expiry {
  readonly tenantId: string;
  /** Objects that were written before this time, milliseconds, go. */
  readonly beforeMs: number;
  readonly isDryRun: boolean;
  readonly isSpent: () => boolean;
}

/**
 * Removes replies that were remembered for an Idempotency-Key. Nothing is restored from them: they only keep a client that sends a request again from
 * storing it twice, which nobody does after weeks. Throws when R2 fails.
 */
export async function expireReplies(
  bucket: R2Bucket,
  { tenantId, beforeMs, isDryRun, isSpent }: Expiry,
): Promise<{ readonly removedCount: number; readonly isDone: boolean }> {
  let removedCount = 0;
  for await (const page of listPages(bucket, { prefix: `idempotency/${tenantId}/` })) {
    if (isSpent()) return { removedCount, isDone: false };
    const old = page.filter(({ uploaded }) => uploaded.getTime() < beforeMs).map(({ key }) => key);
    if (old.length > 0 && !isDryRun) await bucket.delete(old);
    removedCount += old.length;
  }
  return { removedCount, isDone: true };
}
