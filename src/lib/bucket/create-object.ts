/** Create-once objects in R2: the write that may be repeated without harm because what lies there already must be the same. */
import type { R2Bucket, R2Object } from "@cloudflare/workers-types";
import { err, ok, type Result } from "../base/result.ts";

/** An object that is written once. `contentHash` stands for its content and is stored beside it. */
export interface NewObject {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly contentHash: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly mediaType: string;
}

export type CreateError =
  | { readonly code: "storage_unavailable"; readonly attempts: number; readonly cause: unknown }
  /** Another content lies under this key. */
  | { readonly code: "object_differs" };

export interface CreateOptions {
  readonly attemptsMax: number;
  readonly timeoutMs: number;
  /** Wait before the next attempt, so that a throttled key (one write a second in R2) gets its second. */
  readonly retryDelayMs: number;
}

/** Two retries of ten seconds each stay under the patience of every client we know (30 s), and R2 answers in well under one second. */
export const CREATE_OPTIONS: CreateOptions = { attemptsMax: 3, timeoutMs: 8_000, retryDelayMs: 300 };

/**
 * Puts the object if nothing lies there; `created: false` means the same content was there before. A put that failed or timed out is of
 * unknown effect: it is tried again under the same key, and finding an object counts as success only if its hash is ours.
 */
export async function createObject(
  bucket: R2Bucket,
  object: NewObject,
  options: CreateOptions,
): Promise<Result<{ created: boolean }, CreateError>> {
  let cause: unknown;
  for (let attempt = 1; attempt <= options.attemptsMax; attempt++) {
    try {
      const put = await withTimeout(putIfAbsent(bucket, object), options.timeoutMs);
      if (put !== null) return ok({ created: true });
      const existing = await withTimeout(bucket.head(object.key), options.timeoutMs);
      if (existing !== null)
        return existing.customMetadata?.["hash"] === object.contentHash
          ? ok({ created: false })
          : err({ code: "object_differs" });
      // Deleted between the two calls: write it again.
    } catch (thrown) {
      cause = thrown;
      if (attempt < options.attemptsMax) await new Promise((resolve) => setTimeout(resolve, options.retryDelayMs));
    }
  }
  return err({ code: "storage_unavailable", attempts: options.attemptsMax, cause });
}

function putIfAbsent(bucket: R2Bucket, object: NewObject): Promise<R2Object | null> {
  return bucket.put(object.key, object.bytes, {
    onlyIf: { etagDoesNotMatch: "*" },
    httpMetadata: { contentType: object.mediaType },
    customMetadata: { ...object.metadata, hash: object.contentHash },
  });
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("timed out")), timeoutMs);
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
