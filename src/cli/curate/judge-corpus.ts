import { CHUNKER_VERSION } from "../../lib/chunk/chunk-text.ts";
import type { DocumentInput } from "../../lib/contract/document.ts";
import type { TenantPolicy } from "../../lib/contract/policy.ts";
import type { WalDocument } from "../../lib/contract/wal-record.ts";
import { countJudged } from "../../lib/curate/build-report.ts";
import type { CurateReport } from "../../lib/curate/curate-report.ts";
import { prepareChunks } from "../../lib/flows/indexing/prepare-document.ts";
import { judgeInputs } from "../../lib/flows/judging/judge-inputs.ts";
import { type BatchProfile, profileOf } from "../../lib/drift/batch-profile.ts";
import { GATE_VERSION } from "../../lib/gate/profile.ts";
import type { LanguageDetector } from "../../lib/gate/language.ts";
import { PII_RULES_VERSION } from "../../lib/pii/find-pii.ts";
import type { LocalTokenizer } from "../local/local-tokenizer.ts";
import type { InputDefaults } from "../readers/curate-input.ts";
import { READERS_VERSION } from "../readers/read-file.ts";
import { documentInput } from "./curated-dataset.ts";
import type { Corpus, CorpusRefusal } from "./read-corpus.ts";

export interface JudgeOptions {
  readonly policy: TenantPolicy;
  readonly defaults: InputDefaults;
  readonly detectLanguage: LanguageDetector | undefined;
  readonly nowMs: number;
}

/** The verdicts of the whole corpus as one batch, by the code that judges a request at the edge. Aligned with the documents. Pure. */
export function judgeCorpus(corpus: Corpus, options: JudgeOptions): readonly WalDocument[] {
  const candidates = corpus.documents.map((document) => ({ value: documentInput(document, options.defaults) }));
  const { policy, nowMs, detectLanguage } = options;
  const context = { boundUserId: "", nowMs, tenantId: "curate", policy, detectLanguage };
  return judgeInputs(candidates, context).map(({ document }, index) => named(document, candidates[index]?.value));
}

/** What is refused for its form still has the source and tier that its file gave it. */
function named(document: WalDocument, input: DocumentInput | undefined): WalDocument {
  if (document.verdict !== "rejected" || input === undefined) return document;
  const { id, source = "", tier = document.tier } = input;
  return { ...document, document_id: id, source, tier };
}

/** Chunks and tokens that indexing would make of the accepted documents. Pure. */
export function countTokens(
  documents: readonly WalDocument[],
  tokenizer: LocalTokenizer,
): { readonly chunk_count: number; readonly token_count: number } {
  const model = { maxInputTokens: tokenizer.maxInputTokens, documentPrefix: "" };
  let [chunkCount, tokenCount] = [0, 0];
  for (const document of documents) {
    if (document.verdict !== "accepted") continue;
    for (const chunk of prepareChunks(document, tokenizer.counter, model)) {
      chunkCount++;
      tokenCount += chunk.tokenCount;
    }
  }
  return { chunk_count: chunkCount, token_count: tokenCount };
}

/** What a later curation is compared with. The language is not told apart here. Pure. */
export function corpusProfile(documents: readonly WalDocument[]): BatchProfile {
  return profileOf(
    documents.map(({ source, tier, curation, verdict }) => ({
      source,
      tier,
      language: curation?.language ?? "",
      lengthClass: lengthClassOf(curation?.character_count ?? 0),
      outcome: verdict === "accepted" ? "indexed" : verdict,
      inputCount: 1,
    })),
  );
}

/** Floor of the base-2 logarithm, -1 for no text: as the service's reports have it. */
function lengthClassOf(characterCount: number): number {
  return characterCount === 0 ? -1 : Math.floor(Math.log2(characterCount));
}

export interface ReportFacts {
  readonly documents: readonly WalDocument[];
  readonly refusals: readonly CorpusRefusal[];
  readonly fileCount: number;
  readonly tokens: CurateReport["tokens"];
  readonly drift: CurateReport["drift"];
}

/** The report of a curation. Pure. */
export function corpusReport(facts: ReportFacts, policy: TenantPolicy, nowMs: number): CurateReport {
  return {
    kind: "curate_report",
    schema_version: 1,
    created_at: new Date(nowMs).toISOString(),
    file_count: facts.fileCount,
    ...countJudged(facts.documents, policy),
    refusals: refusalCounts(facts.refusals),
    tokens: facts.tokens,
    drift: facts.drift,
    profile: corpusProfile(facts.documents),
    versions: { gate: GATE_VERSION, pii_rules: PII_RULES_VERSION, chunker: CHUNKER_VERSION, readers: READERS_VERSION },
  };
}

/** Files named for each code: enough to look at one. */
const EXAMPLES_MAX = 3;

function refusalCounts(refusals: readonly CorpusRefusal[]): CurateReport["refusals"] {
  return [...Map.groupBy(refusals, ({ code }) => code).entries()]
    .map(([code, group]) => {
      const paths = [...new Set(group.map(({ path }) => path))];
      return { code, refusal_count: group.length, examples: paths.slice(0, EXAMPLES_MAX) };
    })
    .sort((a, b) => b.refusal_count - a.refusal_count || (a.code < b.code ? -1 : 1));
}
