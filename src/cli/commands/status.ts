import { z } from "zod";
import { batchStatusSchema, type BatchStatus } from "../../lib/contract/batch.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { type Connection, requireConnection } from "../connection.ts";
import { CommandError } from "../command-error.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { followBatch } from "../ingest/follow-batch.ts";
import { countText, plural } from "../report/number-text.ts";
import { Interruption } from "../terminal/interruption.ts";
import { ProgressBar } from "../terminal/progress-bar.ts";
import { style } from "../terminal/style.ts";

const READY_TIMEOUT_MS = 15_000;
const readinessSchema = z.looseObject({ ready: z.boolean() });
const batchesSchema = z.looseObject({ batches: z.array(batchStatusSchema) });

/** `jeeves status [BATCH]`: the service and its latest batches, or one batch. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const connection = await requireConnection(args);
  const [batchTag] = args.positionals;
  return batchTag === undefined ? serviceStatus(connection, args) : batchStatus(connection, batchTag, args);
}

async function serviceStatus({ url, api }: Connection, args: CommandArguments): Promise<ExitCode> {
  const readiness = await readReadiness(url);
  const limit = args.integer("limit", { min: 1, max: 500 }) ?? 10;
  const { batches } = await api.json(batchesSchema, { path: `/v1/batches?limit=${limit}` });
  if (args.flag("json")) console.log(JSON.stringify({ url, readiness, batches }));
  else {
    const state = readiness.ready ? style.green("ready") : style.red("not ready");
    console.log(`${url}: ${state}`);
    for (const batch of batches) console.log(`  ${batchLine(batch)}`);
    if (batches.length === 0) console.log("  no batch yet");
  }
  return readiness.ready ? EXIT.ok : EXIT.unreachable;
}

/** `/readyz` answers 503 with the same body when something is down: that is an answer, not a failure. */
async function readReadiness(url: string): Promise<z.infer<typeof readinessSchema>> {
  try {
    const response = await fetch(new URL("/readyz", url), { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
    return readinessSchema.parse(await response.json());
  } catch {
    throw new CommandError(`${url} cannot be reached`, EXIT.unreachable);
  }
}

async function batchStatus({ api }: Connection, batchTag: string, args: CommandArguments): Promise<ExitCode> {
  const status = args.flag("watch")
    ? await watch(api, batchTag)
    : await api.json(batchStatusSchema, { path: `/v1/batches/${encodeURIComponent(batchTag)}` });
  console.log(args.flag("json") ? JSON.stringify(status) : batchLine(status));
  return status.state === "done_with_failures" ? EXIT.failed : EXIT.ok;
}

async function watch(api: Connection["api"], batchTag: string): Promise<BatchStatus> {
  const bar = new ProgressBar(process.stderr);
  const interruption = new Interruption();
  try {
    return await followBatch(api, batchTag, {
      isAsked: () => interruption.isAsked,
      onStatus: (status) =>
        bar.update(
          {
            done: status.document_count - status.pending_count,
            total: status.document_count,
            ratePerSecond: status.documents_per_second,
            etaSeconds: status.eta_seconds,
            note: `${countText(status.chunk_count)} chunks`,
          },
          performance.now(),
        ),
    });
  } finally {
    bar.finish();
    interruption.end();
  }
}

function batchLine(status: BatchStatus): string {
  const outcomes = Object.entries(status.outcomes).filter(([, count]) => count > 0);
  const parts = outcomes.map(([name, count]) => `${countText(count)} ${name}`);
  if (status.pending_count > 0) parts.unshift(`${countText(status.pending_count)} pending`);
  const colour =
    status.state === "done" ? style.green : status.state === "done_with_failures" ? style.red : style.yellow;
  return `${style.bold(status.batch_tag)}  ${colour(status.state)}  ${parts.join(", ")}  ${style.dim(`${plural(status.chunk_count, "chunk")}, ${plural(status.token_count, "token")}`)}`;
}
