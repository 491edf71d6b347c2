import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { batchTagSchema, TIERS } from "../../lib/contract/scope.ts";
import { detectorFor } from "../../lib/flows/judging/language-detector.ts";
import { loadLanguageDetector } from "../../lib/gate/language.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { usageError } from "../command-error.ts";
import { documentInput } from "../curate/curated-dataset.ts";
import { corpusReport, countTokens, judgeCorpus } from "../curate/judge-corpus.ts";
import type { Corpus, CorpusDocument, CorpusRefusal } from "../curate/read-corpus.ts";
import { writeReportFiles } from "../curate/write-results.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { ingestLive, type LiveOutcome } from "../ingest/ingest-live.ts";
import { IngestState } from "../ingest/ingest-state.ts";
import { openTarget } from "../ingest/live-target.ts";
import { contentBatchTag, type HashedDocument, hashedDocument } from "../ingest/plan-requests.ts";
import { planIngest, simulationMarkdown } from "../ingest/simulate-ingest.ts";
import { openLocalTokenizer } from "../local/local-tokenizer.ts";
import { readPolicy, warnOfNumbers } from "../policy/read-policy.ts";
import { findFiles, STDIN } from "../readers/find-files.ts";
import { FILE_FORMATS } from "../readers/read-file.ts";
import { readInput } from "../readers/read-inputs.ts";
import { countText, plural } from "../report/number-text.ts";
import { Interruption } from "../terminal/interruption.ts";
import { style } from "../terminal/style.ts";

interface Prepared {
  readonly corpus: Corpus;
  readonly documents: readonly HashedDocument[];
  readonly batchTag: string;
  readonly fileCount: number;
}

interface Ended {
  readonly acceptanceRate: number;
  /** Something could not be read, or could not be indexed. */
  readonly isFailed: boolean;
}

/** `jeeves ingest --dry-run | --live`. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const [isDryRun, isLive] = [args.flag("dry-run"), args.flag("live")];
  if (isDryRun === isLive) throw usageError("ingest takes either --dry-run or --live");
  const acceptanceMin = args.number("acceptance-min", { min: 0, max: 1 });
  const prepared = await prepare(args);
  const { acceptanceRate, isFailed } = isDryRun ? await simulate(args, prepared) : await send(args, prepared);
  if (isFailed) return EXIT.failed;
  return acceptanceMin !== undefined && acceptanceRate < acceptanceMin ? EXIT.refused : EXIT.ok;
}

async function prepare(args: CommandArguments): Promise<Prepared> {
  const inputs = args.positionals.length > 0 ? args.positionals : process.stdin.isTTY ? [] : [STDIN];
  if (inputs.length === 0) throw usageError("name a dataset, files, folders, or - for the standard input");
  const tag = args.text("batch-tag");
  if (tag !== undefined && !batchTagSchema.safeParse(tag).success)
    throw usageError("--batch-tag takes 1 to 64 of A-Z a-z 0-9 . _ - and starts with a letter or a digit");
  const files = await findFiles(inputs, args.choice("format", FILE_FORMATS));
  const documents: CorpusDocument[] = [];
  const refusals: CorpusRefusal[] = [];
  for (const file of files) {
    for await (const item of readInput(file)) {
      if (item.kind === "document") documents.push({ ...item, path: file.name });
      else refusals.push({ ...item, path: file.name });
    }
  }
  const defaults = { source: args.text("source"), tier: args.choice("tier", TIERS), userId: args.text("user") };
  const hashed = documents.map((document) => hashedDocument(documentInput(document, defaults)));
  return {
    corpus: { documents, refusals },
    documents: hashed,
    batchTag: tag ?? contentBatchTag(hashed),
    fileCount: files.length,
  };
}

/** Judges and counts here what a live ingest would send there. */
async function simulate(args: CommandArguments, prepared: Prepared): Promise<Ended> {
  const policy = await readPolicy(args.text("policy"));
  warnOfNumbers(policy);
  const nowMs = Date.now();
  const detectLanguage = await detectorFor(policy, loadLanguageDetector);
  const defaults = { source: args.text("source"), tier: args.choice("tier", TIERS), userId: args.text("user") };
  const documents = judgeCorpus(prepared.corpus, { policy, defaults, detectLanguage, nowMs });
  const tokenizer = args.flag("no-tokens") ? undefined : await openLocalTokenizer((line) => console.error(line));
  const tokens = tokenizer === undefined ? null : countTokens(documents, tokenizer);
  const { refusals } = prepared.corpus;
  const facts = { documents, refusals, fileCount: prepared.fileCount, tokens, drift: null };
  const report = corpusReport(facts, policy, nowMs);
  const plan = planIngest(prepared.documents, prepared.batchTag);
  const markdown = simulationMarkdown(plan, report);
  const out = args.text("out");
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    await writeReportFiles(out, report);
    await writeFile(join(out, "plan.json"), `${JSON.stringify(plan, null, 2)}\n`);
    await writeFile(join(out, "summary.md"), markdown);
  }
  const summary = args.text("summary");
  if (summary !== undefined && summary !== "") await appendFile(summary, markdown);
  console.log(args.flag("json") ? JSON.stringify({ dry_run: true, plan, report }) : markdown);
  return { acceptanceRate: report.acceptance_rate, isFailed: refusals.length > 0 };
}

/** Sends what is missing and waits for its end. */
async function send(args: CommandArguments, prepared: Prepared): Promise<Ended> {
  const print = (line: string): void => console.error(line);
  const target = await openTarget(args, print);
  const interruption = new Interruption();
  try {
    print(`Ingesting ${plural(prepared.documents.length, "document")} into ${target.url} as ${prepared.batchTag}`);
    const outcome = await ingestLive(prepared.documents, {
      api: target.api,
      state: await IngestState.open(target.statePath),
      interruption,
      batchTag: prepared.batchTag,
      isWaiting: !args.flag("no-wait"),
      print,
    });
    if (args.flag("json")) console.log(JSON.stringify({ batch_tag: prepared.batchTag, ...jsonOf(outcome) }));
    else printOutcome(prepared.batchTag, outcome);
    const failedCount = (outcome.status?.outcomes.failed ?? 0) + (outcome.status?.chunk_failed_count ?? 0);
    const { refusals } = prepared.corpus;
    for (const { path, record, code } of refusals)
      print(`  not read: ${path}${record === undefined ? "" : `, record ${record}`}: ${code}`);
    const { accepted, duplicate, quarantined, rejected } = outcome.verdicts;
    const judged = accepted + duplicate + quarantined + rejected;
    return { acceptanceRate: judged === 0 ? 1 : accepted / judged, isFailed: failedCount > 0 || refusals.length > 0 };
  } finally {
    interruption.end();
    await target.close();
  }
}

function jsonOf(outcome: LiveOutcome): Readonly<Record<string, unknown>> {
  const { sentCount, knownCount, verdicts, status } = outcome;
  return { sent_count: sentCount, known_count: knownCount, verdicts, status };
}

function printOutcome(batchTag: string, { verdicts, status, sentCount }: LiveOutcome): void {
  const counts = Object.entries(verdicts).map(([name, count]) => `${countText(count)} ${name}`);
  console.log(
    `${style.bold(batchTag)}: ${plural(sentCount, "document")} sent${sentCount === 0 ? "" : `: ${counts.join(", ")}`}`,
  );
  if (status === null) return;
  const outcomes = Object.entries(status.outcomes).filter(([, count]) => count > 0);
  const ended = outcomes.map(([name, count]) => `${countText(count)} ${name}`).join(", ");
  console.log(
    `  ${style.green(status.state)}: ${ended}; ${plural(status.chunk_count, "chunk")}, ${plural(status.token_count, "token")}`,
  );
}
