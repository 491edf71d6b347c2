/** Whether everything that the system stands on can be reached now. */
import type { R2Bucket } from "@cloudflare/workers-types";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import type { Sql } from "../db/sql.ts";
import type { Embedder } from "../embed/embedder.ts";
import type { ModelSource } from "./model-source.ts";

export const readinessSchema = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.object({ ready: z.boolean(), latency_ms: z.number(), reason: z.string().nullable() })),
});
export type Readiness = z.infer<typeof readinessSchema>;

export interface ReadinessContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly embedQueue: { metrics(): Promise<unknown> };
  readonly embedder: Embedder;
  readonly models: ModelSource;
  readonly clock: Clock;
  /** Start-up check of the database: undefined when it is as it has to be, else a code. */
  readonly checkDatabase: () => Promise<string | undefined>;
}

/** A check that takes longer has failed, milliseconds. */
const CHECK_TIMEOUT_MS = 5_000;

/** Runs all checks at once. Reasons are codes, never messages of the parts. */
export async function readiness(context: ReadinessContext): Promise<Readiness> {
  const named: [string, () => Promise<string | undefined>][] = [
    ["database", context.checkDatabase],
    ["storage", async () => void (await context.bucket.head("readyz"))],
    ["queue", async () => void (await context.embedQueue.metrics())],
    ["embedder", () => checkEmbedder(context)],
  ];
  const checks = await Promise.all(
    named.map(async ([name, check]) => [name, await timed(check, context.clock)] as const),
  );
  return { ready: checks.every(([, check]) => check.ready), checks: Object.fromEntries(checks) };
}

async function checkEmbedder({ embedder, models }: ReadinessContext): Promise<string | undefined> {
  const [info, model] = await Promise.all([embedder.info(), models.active()]);
  if (!info.ok) return info.error.code;
  if (!model.ok) return model.error.code;
  return info.value.fingerprint === model.value.fingerprint ? undefined : "embedder_mismatch";
}

async function timed(check: () => Promise<string | undefined>, clock: Clock): Promise<Readiness["checks"][string]> {
  const startedMs = clock();
  const { promise: timeout, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve("timeout"), CHECK_TIMEOUT_MS);
  const reason = await Promise.race([check().catch(() => "failed"), timeout]);
  clearTimeout(timer);
  return { ready: reason === undefined, latency_ms: clock() - startedMs, reason: reason ?? null };
}
