/** Whether everything that the system stands on can be reached now. */
import type { R2Bucket } from "@cloudflare/workers-types";
import type { Clock } from "../base/clock.ts";
import type { Readiness } from "../contract/readiness.ts";
import type { Sql } from "../db/sql.ts";
import type { Embedder } from "../embed/embedder.ts";
import type { ModelSource } from "./models/model-source.ts";

export interface ReadinessContext {
  readonly sql: Sql;
  readonly bucket: R2Bucket;
  readonly embedQueue: { metrics(): Promise<unknown> };
  /** The embedding servers; one of them has to run the active model. */
  readonly embedders: readonly Embedder[];
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

async function checkEmbedder({ embedders, models }: ReadinessContext): Promise<string | undefined> {
  const [model, ...infos] = await Promise.all([models.active(), ...embedders.map((embedder) => embedder.info())]);
  if (model.ok && infos.some((info) => info.ok && info.value.fingerprint === model.value.fingerprint)) return undefined;
  const failure = infos.find((info) => !info.ok);
  if (failure?.ok === false) return failure.error.code;
  return model.ok ? "embedder_mismatch" : model.error.code;
}

async function timed(check: () => Promise<string | undefined>, clock: Clock): Promise<Readiness["checks"][string]> {
  const startedMs = clock();
  const { promise: timeout, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve("timeout"), CHECK_TIMEOUT_MS);
  const reason = await Promise.race([check().catch(() => "failed"), timeout]);
  clearTimeout(timer);
  return { ready: reason === undefined, latency_ms: clock() - startedMs, reason: reason ?? null };
}
