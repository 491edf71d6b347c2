import { join } from "node:path";
import { TIERS } from "../../lib/contract/scope.ts";
import type { CurateReport } from "../../lib/curate/curate-report.ts";
import { detectorFor } from "../../lib/flows/judging/language-detector.ts";
import { loadLanguageDetector } from "../../lib/gate/language.ts";
import type { CommandArguments } from "../arguments/command-arguments.ts";
import { usageError } from "../command-error.ts";
import { datasetLine, verdictLine } from "../curate/curated-dataset.ts";
import { driftFrom, readBaseline } from "../curate/compare-baseline.ts";
import { corpusProfile, corpusReport, countTokens, judgeCorpus } from "../curate/judge-corpus.ts";
import { type Corpus, readCorpus } from "../curate/read-corpus.ts";
import { ReadJournal } from "../curate/read-journal.ts";
import { RESULT_FILES, writeJsonLines, writeReportFiles } from "../curate/write-results.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { openLocalTokenizer } from "../local/local-tokenizer.ts";
import { readPolicy, warnOfNumbers } from "../policy/read-policy.ts";
import { findFiles, STDIN } from "../readers/find-files.ts";
import { FILE_FORMATS } from "../readers/read-file.ts";
import { countText, plural, shareText } from "../report/number-text.ts";
import { Interruption } from "../terminal/interruption.ts";
import { ProgressBar } from "../terminal/progress-bar.ts";
import { style } from "../terminal/style.ts";

const OUT_DEFAULT = "curated";

/** `jeeves curate`: files into a curated dataset, verdicts and a report. */
export async function run(args: CommandArguments): Promise<ExitCode> {
  const inputs = args.positionals.length > 0 ? args.positionals : process.stdin.isTTY ? [] : [STDIN];
  if (inputs.length === 0) throw usageError("name files, folders, patterns, or - for the standard input");
  const acceptanceMin = args.number("acceptance-min", { min: 0, max: 1 });
  const folder = args.text("out") ?? OUT_DEFAULT;
  const policy = await readPolicy(args.text("policy"));
  warnOfNumbers(policy);
  const baselinePath = args.text("baseline");
  const baseline = baselinePath === undefined ? undefined : await readBaseline(baselinePath);
  const defaults = { source: args.text("source"), tier: args.choice("tier", TIERS), userId: args.text("user") };
  const files = await findFiles(inputs, args.choice("format", FILE_FORMATS));
  const corpus = await readAll(files, folder);

  console.error(`Judging ${plural(corpus.documents.length, "text")}`);
  const nowMs = Date.now();
  const detectLanguage = await detectorFor(policy, loadLanguageDetector);
  const documents = judgeCorpus(corpus, { policy, defaults, detectLanguage, nowMs });
  const tokens = args.flag("no-tokens")
    ? null
    : countTokens(documents, await openLocalTokenizer((line) => console.error(line)));
  const drift =
    baselinePath === undefined || baseline === undefined
      ? null
      : driftFrom(corpusProfile(documents), { name: baselinePath, profile: baseline }, policy.drift);
  const facts = { documents, refusals: corpus.refusals, fileCount: files.length, tokens, drift };
  const report = corpusReport(facts, policy, nowMs);

  const kept = documents.filter(({ verdict }) => verdict === "accepted");
  const held = documents.filter(({ verdict }) => verdict === "quarantined");
  await writeJsonLines(folder, RESULT_FILES.dataset, kept.map(datasetLine));
  await writeJsonLines(
    folder,
    RESULT_FILES.quarantined,
    held.map((document) => ({ ...datasetLine(document), reasons: document.reasons })),
  );
  const verdicts = documents.map((document, index) => verdictLine(document, corpus.documents[index]?.path ?? ""));
  await writeJsonLines(folder, RESULT_FILES.verdicts, verdicts);
  await writeReportFiles(folder, report);
  await (await ReadJournal.open(folder)).remove();

  if (args.flag("json")) console.log(JSON.stringify({ out: folder, report }));
  else printSummary(report, folder);
  return acceptanceMin !== undefined && report.acceptance_rate < acceptanceMin ? EXIT.refused : EXIT.ok;
}

async function readAll(files: Awaited<ReturnType<typeof findFiles>>, folder: string): Promise<Corpus> {
  const journal = await ReadJournal.open(folder);
  console.error(`Reading ${plural(files.length, "file")}`);
  if (journal.knownCount > 0) console.error(`  ${countText(journal.knownCount)} of them were read before`);
  const interruption = new Interruption();
  try {
    const tools = { journal, interruption, bar: new ProgressBar(process.stderr), clock: () => performance.now() };
    return await readCorpus(files, tools);
  } finally {
    interruption.end();
    await journal.close();
  }
}

function printSummary(report: CurateReport, folder: string): void {
  const { verdicts, relaxation, tokens } = report;
  console.log(
    `${style.bold(plural(report.input_count, "text"))}: ${style.green(`${countText(verdicts.accepted)} accepted`)} ` +
      `(${shareText(report.acceptance_rate)}), ${countText(verdicts.duplicate)} duplicate, ` +
      `${style.yellow(`${countText(verdicts.quarantined)} quarantined`)}, ${style.red(`${countText(verdicts.rejected)} rejected`)}`,
  );
  if (relaxation.step > 0)
    console.log(
      `  relaxed to step ${relaxation.step} of ${relaxation.steps_max}: ${countText(relaxation.relaxed_count)} let in that way`,
    );
  for (const { source, input_count: total, accepted } of report.sources.slice(0, SHOWN_MAX))
    console.log(`  ${source}: ${countText(accepted)} of ${countText(total)}`);
  for (const { verdict, code, input_count: total } of report.reasons.slice(0, SHOWN_MAX))
    console.log(style.dim(`  ${code} (${verdict}): ${countText(total)}`));
  for (const { code, refusal_count: count, examples } of report.refusals)
    console.log(style.yellow(`  not read, ${code}: ${countText(count)} (${examples.join(", ")})`));
  if (tokens !== null) console.log(`  ${plural(tokens.chunk_count, "chunk")}, ${plural(tokens.token_count, "token")}`);
  console.log(`  ${join(folder, RESULT_FILES.dataset)}, ${join(folder, RESULT_FILES.page)}`);
}

/** Lines of each list on the terminal; the report has all. */
const SHOWN_MAX = 6;
