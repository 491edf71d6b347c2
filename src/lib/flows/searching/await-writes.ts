import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../../base/clock.ts";
import { MINUTE_MS } from "../../base/durations.ts";
import { isUlid, ulidTimeMs } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Sql } from "../../db/sql.ts";
import { appliedDocuments } from "../batches/applied-documents.ts";
import { listBatchRequests } from "../batches/batch-requests.ts";
import { storageUnavailable } from "../problem-of.ts";

export interface AwaitContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly clock: Clock;
  readonly sleep: (delayMs: number) => Promise<void>;
}

/** First pause between two looks at the ledger, milliseconds; each further one is longer by half, up to the second figure. */
const PAUSE_MS_MIN = 40;
const PAUSE_MS_MAX = 500;
/** Age of a token, milliseconds, at which its WAL object is there or never will be: it follows its token by seconds. */
const UNWRITTEN_MS_MAX = 10 * MINUTE_MS;

/**
 * Waits until every input of the named requests has ended, at most `waitMs`. A request is known by its WAL object, its end by the
 * ledger: the sum of the documents of its applied ranges. The object of a session's events may be written after their token was given; a token that
 * names no request of the tenant is never caught up with.
 */
export async function awaitWrites(
  context: AwaitContext,
  wait: { readonly tenantId: string; readonly tokens: readonly string[]; readonly waitMs: number },
): Promise<Result<{ readonly caughtUp: boolean; readonly waitedMs: number }, Problem>> {
  const startedMs = context.clock();
  if (wait.tokens.length === 0) return ok({ caughtUp: true, waitedMs: 0 });
  if (!wait.tokens.every(isUlid))
    return err({ code: "parameter_invalid", pointer: "/min_token", detail: "not a token of this service" });
  const expected = new Map<string, number>();
  for (let pauseMs = PAUSE_MS_MIN; ; pauseMs = Math.min(PAUSE_MS_MAX, Math.round(pauseMs * 1.5))) {
    const found = await findRequests(context, wait, expected);
    if (!found.ok) return found;
    const applied = await appliedDocuments(context.sql, wait.tenantId, wait.tokens);
    if (!applied.ok) return applied;
    // An old object has gone because all of it is applied: its documents are in packs.
    const isPacked = (token: string): boolean =>
      applied.value.has(token) && context.clock() - ulidTimeMs(token) > UNWRITTEN_MS_MAX;
    const missing = wait.tokens.filter((token) => !expected.has(token) && !isPacked(token));
    const isApplied = [...expected].every(([walId, documentCount]) => (applied.value.get(walId) ?? 0) >= documentCount);
    const nowMs = context.clock();
    const waitedMs = nowMs - startedMs;
    const isHopeless = missing.some((token) => Math.abs(nowMs - ulidTimeMs(token)) > UNWRITTEN_MS_MAX);
    if ((missing.length === 0 && isApplied) || isHopeless || waitedMs + pauseMs > wait.waitMs)
      return ok({ caughtUp: missing.length === 0 && isApplied, waitedMs });
    await context.sleep(pauseMs);
  }
}

/** Looks for the WAL objects of the tokens that are not `expected` yet, and notes how many documents each of them has. */
async function findRequests(
  { bucket }: AwaitContext,
  { tenantId, tokens }: { readonly tenantId: string; readonly tokens: readonly string[] },
  expected: Map<string, number>,
): Promise<Result<null, Problem>> {
  const unknown = tokens.filter((token) => !expected.has(token));
  const requests = await Promise.all(unknown.map((token) => listBatchRequests(bucket, tenantId, token)));
  for (const found of requests) {
    if (!found.ok) return err(storageUnavailable());
    for (const { walId, documentCount } of found.value) expected.set(walId, documentCount);
  }
  return ok(null);
}
