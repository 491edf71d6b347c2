import { PII_TYPES, type PiiPolicy, type PiiType } from "../contract/pii.ts";
import type { WalDocument } from "../contract/wal-record.ts";
import { RELAXATION_STEPS } from "../gate/thresholds.ts";
import { RELAXATION_BATCH_MIN } from "../gate/judge-batch.ts";
import { actionFor } from "../pii/apply-policy.ts";
import type { CurateReport, VerdictCounts } from "./curate-report.ts";

/** What the report says of the judged inputs. */
export type JudgedPart = Pick<
  CurateReport,
  | "input_count"
  | "verdicts"
  | "acceptance_rate"
  | "relaxation"
  | "sources"
  | "reasons"
  | "source_reasons"
  | "lengths"
  | "pii"
>;

export interface ReportPolicy {
  readonly pii: PiiPolicy;
  readonly gate: { readonly target_acceptance: number };
}

/** Counts the judged inputs of one batch. Pure; the order of the inputs changes nothing. */
export function countJudged(documents: readonly WalDocument[], policy: ReportPolicy): JudgedPart {
  const verdicts = verdictCounts(documents);
  return {
    input_count: documents.length,
    verdicts,
    acceptance_rate: shareOf(verdicts.accepted, documents.length),
    relaxation: relaxationOf(documents, policy.gate.target_acceptance),
    sources: sourcesOf(documents),
    reasons: reasonsOf(documents),
    source_reasons: sourceReasonsOf(documents),
    lengths: lengthsOf(documents),
    pii: piiOf(documents, policy.pii),
  };
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 10_000;
}

function verdictCounts(documents: readonly WalDocument[]): VerdictCounts {
  const counts = { accepted: 0, duplicate: 0, quarantined: 0, rejected: 0 };
  for (const { verdict } of documents) counts[verdict]++;
  return counts;
}

function relaxedStep(document: WalDocument): number {
  return document.curation?.relaxed_step ?? 0;
}

/** The steps as the gate took them: from strict until the target or the floor is reached. A duplicate passed the gate before it was one. */
function relaxationOf(documents: readonly WalDocument[], target: number): CurateReport["relaxation"] {
  const judged = documents.filter(({ verdict }) => verdict !== "rejected");
  const passing = judged.filter(({ verdict }) => verdict !== "quarantined");
  const steps: CurateReport["relaxation"]["steps"] = [];
  for (let step = 0; step <= RELAXATION_STEPS; step++) {
    const passed = passing.filter((document) => relaxedStep(document) <= step).length;
    steps.push({ step, passed, pass_rate: judged.length === 0 ? 1 : shareOf(passed, judged.length) });
    if (judged.length < RELAXATION_BATCH_MIN || passed >= target * judged.length) break;
  }
  const relaxedCount = documents.filter((document) => relaxedStep(document) > 0).length;
  return { target, step: steps.length - 1, steps_max: RELAXATION_STEPS, relaxed_count: relaxedCount, steps };
}

function sourcesOf(documents: readonly WalDocument[]): CurateReport["sources"] {
  const groups = Map.groupBy(documents, ({ source, tier }) => JSON.stringify([source, tier]));
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const counts = verdictCounts(group);
      const relaxed = group.filter((document) => relaxedStep(document) > 0).length;
      const { source, tier } = first;
      const fallback = shareOf(relaxed, counts.accepted);
      return [{ source, tier, input_count: group.length, ...counts, relaxed, fallback_fraction: fallback }];
    })
    .sort((a, b) => b.input_count - a.input_count || byText(a.source, b.source) || byText(a.tier, b.tier));
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** An input counts once for each of its codes. */
function codesOf(document: WalDocument): ReadonlySet<string> {
  return new Set(document.reasons.map(({ code }) => code));
}

function reasonsOf(documents: readonly WalDocument[]): CurateReport["reasons"] {
  const counts = new Map<string, CurateReport["reasons"][number]>();
  for (const document of documents) {
    for (const code of codesOf(document)) {
      const key = `${document.verdict} ${code}`;
      const known = counts.get(key) ?? { verdict: document.verdict, code, input_count: 0 };
      counts.set(key, { ...known, input_count: known.input_count + 1 });
    }
  }
  return [...counts.values()].sort(
    (a, b) => b.input_count - a.input_count || byText(a.code, b.code) || byText(a.verdict, b.verdict),
  );
}

function sourceReasonsOf(documents: readonly WalDocument[]): CurateReport["source_reasons"] {
  const counts = new Map<string, CurateReport["source_reasons"][number]>();
  for (const document of documents) {
    if (document.verdict === "accepted") continue;
    for (const code of codesOf(document)) {
      const key = JSON.stringify([document.source, code]);
      const known = counts.get(key) ?? { source: document.source, code, input_count: 0 };
      counts.set(key, { ...known, input_count: known.input_count + 1 });
    }
  }
  return [...counts.values()].sort(
    (a, b) => b.input_count - a.input_count || byText(a.source, b.source) || byText(a.code, b.code),
  );
}

/** Bins from the shortest to the longest text, without gaps. A rejected input whose length is not known is left out. */
function lengthsOf(documents: readonly WalDocument[]): CurateReport["lengths"] {
  const bins = new Map<number, { accepted: number; other: number }>();
  for (const { curation, verdict } of documents) {
    if (curation?.character_count === undefined) continue;
    const bin = curation.character_count === 0 ? 0 : Math.floor(Math.log2(curation.character_count)) + 1;
    const counts = bins.get(bin) ?? { accepted: 0, other: 0 };
    counts[verdict === "accepted" ? "accepted" : "other"]++;
    bins.set(bin, counts);
  }
  if (bins.size === 0) return [];
  const [first, last] = [Math.min(...bins.keys()), Math.max(...bins.keys())];
  return Array.from({ length: last - first + 1 }, (_, place) => {
    const bin = first + place;
    const counts = bins.get(bin) ?? { accepted: 0, other: 0 };
    return { from: bin === 0 ? 0 : 2 ** (bin - 1), to: 2 ** bin, ...counts };
  });
}

function piiOf(documents: readonly WalDocument[], policy: PiiPolicy): CurateReport["pii"] {
  const counts = new Map<PiiType, { span_count: number; input_count: number }>();
  for (const { curation } of documents) {
    for (const [type, spans] of typedEntries(curation?.pii_counts ?? {})) {
      const known = counts.get(type) ?? { span_count: 0, input_count: 0 };
      counts.set(type, { span_count: known.span_count + spans, input_count: known.input_count + 1 });
    }
  }
  return [...counts.entries()]
    .map(([type, found]) => ({ type, action: actionFor(policy, type), ...found }))
    .sort((a, b) => b.span_count - a.span_count || byText(a.type, b.type));
}

function typedEntries(counts: Readonly<Partial<Record<PiiType, number>>>): [PiiType, number][] {
  return PII_TYPES.flatMap((type): [PiiType, number][] => {
    const found = counts[type];
    return found === undefined || found === 0 ? [] : [[type, found]];
  });
}
