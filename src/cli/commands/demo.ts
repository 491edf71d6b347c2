import { z } from "zod";
import { HOUR_MS } from "../../lib/base/durations.ts";
import { ingestReportSchema, type IngestReport } from "../../lib/contract/batch.ts";
import { createKey, createTenant, revokeKey } from "../../lib/flows/keys/manage-keys.ts";
import type { Stack } from "../../stack/start-stack.ts";
import { ApiClient } from "../api-client.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { withHelp } from "../../stack/help-topic.ts";
import { CommandError } from "../command-error.ts";
import { readAddresses } from "../demo/corpus.ts";
import { ingestCorpus, type IngestOutcome } from "../demo/ingest-corpus.ts";
import { printHits, search } from "../demo/print-hits.ts";
import { ensureActiveModel } from "../local/ensure-active-model.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { keysContext } from "../keys-context.ts";
import { findRunningStack, startLocalStack } from "../local/running-stack.ts";
import { style } from "../terminal/style.ts";

const TENANT = "demo";
const KEY_LIFETIME_MS = HOUR_MS;

const SEARCHES: readonly { readonly query: string; readonly filters?: unknown; readonly note?: string }[] = [
  { query: "landing a man on the moon and exploring space" },
  { query: "we will not tire, we will not falter after the terrorist attacks" },
  { query: "health insurance that can never be taken away" },
  {
    query: "inflation and the price of oil",
    filters: { metadata: { president: "Jimmy Carter" } },
    note: "only Jimmy Carter",
  },
  { query: "ERA Voting Rights Act 1965", note: "exact words" },
];

/** `jeeves demo`: real text through the whole system, over HTTP, with every count checked. Fails when anything falls short. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const options = { isWholeCorpus: args.flag("all") };
  const startedAtMs = performance.now();
  const running = await findRunningStack();
  if (running !== undefined) {
    throw new CommandError(
      withHelp(
        `a stack runs already (${running.url}, process ${running.pid}): stop it with Ctrl-C first`,
        "stack-runs-already",
      ),
    );
  }
  console.log(style.bold("\nStarting the local stack"));
  const stack = await startLocalStack({ port: 0, log: (line) => console.log(style.dim(`  ${line}`)) });
  try {
    const stackMs = performance.now() - startedAtMs;
    await runDemo(stack, { ...options, stackMs });
    return EXIT.ok;
  } finally {
    await stack.stop();
  }
}

async function runDemo(
  stack: Stack,
  options: { readonly isWholeCorpus: boolean; readonly stackMs: number },
): Promise<void> {
  const context = keysContext(stack.ownerSql);
  await createTenant(stack.ownerSql, TENANT, "Demo");
  const key = await createKey(context, {
    tenantId: TENANT,
    userId: "",
    scopes: ["ingest", "search", "admin", "operator"],
    label: "demo",
    expiresAtMs: Date.now() + KEY_LIFETIME_MS,
  });
  if (!key.ok) throw new CommandError(`no key could be made: ${key.error.code}`);
  const api = new ApiClient(stack.url, key.value.key);
  await ensureActiveModel(stack.url, key.value.key);
  console.log(`  tenant ${TENANT}, key ${key.value.summary.hint}…, ${stack.url}`);

  const documents = await readAddresses(options.isWholeCorpus);
  const words = documents.reduce((sum, document) => sum + document.text.split(/\s+/).length, 0);
  console.log(
    style.bold(`\nIngesting ${documents.length} State of the Union addresses, ${words.toLocaleString("en")} words`),
  );
  const batchTag = `sotu-${new Date().toISOString().replace(/[:.]/g, "-")}`;
  const ingest = await ingestCorpus(api, documents, batchTag);
  printOutcomes(ingest);

  console.log(style.bold("\nSearching"));
  const searchMs = await runSearches(api);

  console.log(style.bold("\nThe batch's ingest report, from R2 through the artifact route"));
  const report = await downloadReport(api, batchTag);
  printReport(report);
  await revokeKey(context, TENANT, key.value.summary.key_id);
  checkCounts({ documentCount: documents.length, ingest, report });
  printTimes({ stackMs: options.stackMs, ingest, searchMs });
}

function printOutcomes({ status }: IngestOutcome): void {
  const outcomes = Object.entries(status.outcomes)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`);
  const embedded = status.chunk_count - status.chunk_reused_count;
  console.log(
    `  ${style.green(status.state)}: ${outcomes.join(", ")}; ${status.chunk_count} chunks, ${embedded} embedded, ${status.token_count.toLocaleString("en")} tokens`,
  );
}

async function runSearches(api: ApiClient): Promise<readonly number[]> {
  const durations: number[] = [];
  for (const { query, filters, note } of SEARCHES) {
    const startedAtMs = performance.now();
    const reply = await search(api, { query, k: 3, explain: true, ...(filters === undefined ? {} : { filters }) });
    durations.push(performance.now() - startedAtMs);
    if (reply.hits.length === 0) throw new CommandError(`no hit for "${query}"`);
    printHits(note === undefined ? `“${query}”` : `“${query}” (${note})`, reply, durations.at(-1) ?? 0);
  }
  return durations;
}

const artifactSchema = z.looseObject({ artifact_id: z.string(), size_bytes: z.int(), sha256: z.string() });

async function downloadReport(api: ApiClient, batchTag: string): Promise<IngestReport> {
  await api.response({ path: `/v1/batches/${batchTag}/report` });
  const artifact = await api.json(artifactSchema, { path: `/v1/artifacts/report-${batchTag}` });
  const content = await api.response({ path: `/v1/artifacts/report-${batchTag}/content` });
  const bytes = new Uint8Array(await content.arrayBuffer());
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
  if (digest !== artifact.sha256) throw new CommandError("the downloaded report does not have its registered SHA-256");
  return ingestReportSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
}

function printReport(report: IngestReport): void {
  const sources = report.sources.map(
    (source) => `${source.source} (${source.tier}): ${source.document_count} documents, ${source.chunk_count} chunks`,
  );
  console.log(`  ${report.batch_tag}: ${report.document_count} inputs in ${report.duration_seconds ?? "–"} s`);
  for (const line of sources) console.log(`  ${line}`);
  for (const model of report.models)
    console.log(style.dim(`  ${model.model_name}, ${model.dimensions} dimensions, ${model.fingerprint}`));
}

function checkCounts(found: { documentCount: number; ingest: IngestOutcome; report: IngestReport }): void {
  const { status } = found.ingest;
  const settled = status.outcomes.indexed + status.outcomes.unchanged;
  if (status.state !== "done") throw new CommandError(`the batch ended as ${status.state}`);
  if (settled !== found.documentCount) {
    throw new CommandError(`${settled} of ${found.documentCount} documents are in the store`);
  }
  if (status.outcomes.indexed > 0 && status.chunk_count === 0)
    throw new CommandError("documents were indexed without chunks");
  if (found.report.document_count !== found.documentCount)
    throw new CommandError("the report counts another number of documents");
  if (Number.isNaN(found.ingest.firstHitMs)) throw new CommandError("the first documents were never found by a search");
}

function printTimes(times: { stackMs: number; ingest: IngestOutcome; searchMs: readonly number[] }): void {
  const seconds = (durationMs: number): string => `${(durationMs / 1000).toFixed(1)} s`.padStart(9);
  const { ingest } = times;
  const ingestSeconds = ingest.totalMs / 1000;
  const sorted = times.searchMs.toSorted((a, b) => a - b);
  const embedded = ingest.status.chunk_count - ingest.status.chunk_reused_count;
  console.log(style.bold("\nWhat took how long"));
  console.log(`  stack up           ${seconds(times.stackMs)}`);
  console.log(`  accepted (202)     ${seconds(ingest.postedMs)}   all requests durable in R2`);
  console.log(`  first hit          ${seconds(ingest.firstHitMs)}   after the first request`);
  console.log(
    `  all indexed        ${seconds(ingest.totalMs)}   ${(ingest.status.chunk_count / ingestSeconds).toFixed(0)} chunks/s, ${(ingest.status.token_count / ingestSeconds).toFixed(0)} tokens/s`,
  );
  console.log(`  search, median     ${`${(sorted[sorted.length >> 1] ?? 0).toFixed(0)} ms`.padStart(9)}`);
  if (embedded === 0)
    console.log(style.green(`  unchanged: ${ingest.status.outcomes.unchanged} documents, nothing was embedded`));
  console.log(style.green("\nDemo passed.\n"));
}
