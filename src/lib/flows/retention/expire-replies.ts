import type { R2Bucket } from "@cloudflare/workers-types";

/** Keys of one list and delete call. */
const KEYS_MAX = 1_000;

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
  let startAfter = "";
  for (;;) {
    if (isSpent()) return { removedCount, isDone: false };
    const after = startAfter === "" ? {} : { startAfter };
    const page = await bucket.list({ prefix: `idempotency/${tenantId}/`, limit: KEYS_MAX, ...after });
    const old = page.objects.filter(({ uploaded }) => uploaded.getTime() < beforeMs).map(({ key }) => key);
    if (old.length > 0 && !isDryRun) await bucket.delete(old);
    removedCount += old.length;
    startAfter = page.objects.at(-1)?.key ?? "";
    if (!page.truncated) return { removedCount, isDone: true };
  }
}
