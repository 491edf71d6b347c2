import { utf8Bytes } from "../base/bytes.ts";
import type { GatePolicy } from "../contract/gate-policy.ts";
import { PII_TYPES, type PiiAction, type PiiPolicy, type PiiSpan, type PiiType } from "../contract/pii.ts";
import type { Tier } from "../contract/scope.ts";
import type { Reason, Verdict } from "../contract/verdict.ts";
import { findDuplicatesInBatch } from "../duplicates/find-duplicates.ts";
import { sketchOf, type TextSketch } from "../duplicates/sketch.ts";
import { judgeBatch, type RelaxationStep } from "../gate/judge-batch.ts";
import type { LanguageDetector } from "../gate/language.ts";
import type { Judgement } from "../gate/judge-text.ts";
import { applyPiiPolicy, stricter, type PiiVerdict } from "../pii/apply-policy.ts";
import { finderFor, type PiiFinder } from "../pii/find-for-policy.ts";

/** One text to be judged. `id` is what other inputs are told as the original of a duplicate. */
export interface CurateInput {
  readonly id: string;
  readonly text: string;
  readonly tier: Tier;
  /** Name that the counts are kept by; '' where none is named. */
  readonly source: string;
  /** '' = shared by the tenant. */
  readonly userId: string;
  readonly occurredAtMs: number | null;
  /** Judged with the text: personal data in a title is as personal. '' where there is none. */
  readonly title: string;
  /** Who said it, in events and summaries; left out where nobody is named. */
  readonly speaker?: string;
}

/** The parts of a tenant's policy that judge. */
export interface CuratePolicy {
  readonly pii: PiiPolicy;
  readonly gate: GatePolicy;
  readonly duplicates: { readonly enabled: boolean; readonly near: boolean };
}

export interface CurateOptions {
  readonly tenantId: string;
  readonly policy: CuratePolicy;
  /** Spans of the texts, aligned with the inputs, where a detector outside this code was asked; the built-in ones are used when left out. */
  readonly spans?: readonly (readonly PiiSpan[])[];
  /** Sketches of the texts as they came, aligned with the inputs; used for those that redaction left as they were. */
  readonly sketches?: readonly TextSketch[];
  /** Tells languages apart; needed where the policy restricts them. */
  readonly detectLanguage?: LanguageDetector | undefined;
}

export const CURATE_VERDICTS = ["accepted", "duplicate", "quarantined", "rejected"] as const;
export type CurateVerdict = (typeof CURATE_VERDICTS)[number];

/** The earlier input of the batch that a duplicate adds nothing to; it is itself accepted. */
export interface DuplicateOf {
  readonly index: number;
  readonly id: string;
  readonly kind: "exact" | "near";
  readonly similarity: number;
}

export interface Curated {
  readonly verdict: CurateVerdict;
  /** Never text of the input. */
  readonly reasons: readonly Reason[];
  /** The text as it may be stored, redacted where the policy says so; null for what is rejected. */
  readonly text: string | null;
  /** The title as it may be stored; '' for what is rejected. */
  readonly title: string;
  /** UTF-8 bytes of `text`, 0 for what is rejected. */
  readonly textBytes: number;
  /** Step of relaxation that let an accepted text in, 0 = strict. */
  readonly relaxedStep: number;
  readonly duplicateOf: DuplicateOf | null;
  readonly piiAction: PiiAction;
  /** Spans of text and title by type. The built-in detectors do not look for types that the policy allows. */
  readonly piiCounts: Readonly<Partial<Record<PiiType, number>>>;
}

export interface CuratedBatch {
  /** Aligned with the inputs. */
  readonly results: readonly Curated[];
  /** Step that the batch relaxed to, 0 = strict. */
  readonly step: number;
  readonly steps: readonly RelaxationStep[];
}

/**
 * The one pipeline of the edge, the command line and dry runs: personal data, then the gate with adaptive relaxation, then duplicates.
 * Duplicates come last and only among what is accepted: an input is never dropped in favour of one that is not stored. Pure and
 * deterministic; the order of the inputs decides which of two equal texts is the original, and nothing else.
 */
export function curateBatch(inputs: readonly CurateInput[], options: CurateOptions): CuratedBatch {
  const find = finderFor(options.policy.pii);
  const cleaned = inputs.map((input, index) => {
    return cleanInput(input, options.policy.pii, { find, spans: options.spans?.[index] });
  });
  const judgedIndexes = cleaned.flatMap((clean, index) => (clean.action === "reject" ? [] : [index]));
  const gate = judgeBatch(
    judgedIndexes.map((index) => {
      const { tier, source } = at(inputs, index);
      return { text: at(cleaned, index).text, tier, source };
    }),
    options.policy.gate,
    options.detectLanguage,
  );
  const judgements = new Map(judgedIndexes.map((index, place) => [index, gate.judgements[place]]));
  const results = inputs.map((_, index) => resultOf(at(cleaned, index), judgements.get(index)));
  const originals = duplicatesOf(inputs, results, options);
  return {
    results: results.map((result, index) => asDuplicate(result, originals.get(index))),
    step: gate.step,
    steps: gate.steps,
  };
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError("lists of one batch are aligned");
  return item;
}

interface CleanInput extends PiiVerdict {
  readonly title: string;
}

interface Finding {
  readonly find: PiiFinder;
  readonly spans: readonly PiiSpan[] | undefined;
}

function cleanInput(input: CurateInput, policy: PiiPolicy, { find, spans }: Finding): CleanInput {
  const body = applyPiiPolicy(input.text, spans ?? find(input.text), policy);
  if (input.title === "") return { ...body, title: "" };
  const title = applyPiiPolicy(input.title, find(input.title), policy);
  const action = stricter(body.action, title.action);
  return { action, text: body.text, title: title.text, counts: sum(body.counts, title.counts) };
}

type Counts = Readonly<Partial<Record<PiiType, number>>>;

function sum(a: Counts, b: Counts): Counts {
  const total: Partial<Record<PiiType, number>> = { ...a };
  for (const type of PII_TYPES) {
    const count = b[type];
    if (count !== undefined) total[type] = (total[type] ?? 0) + count;
  }
  return total;
}

/** Reason of a text that personal data keeps out: the action, and how many spans there are. */
function piiReason(clean: CleanInput): Reason {
  const types = Object.keys(clean.counts).sort();
  return {
    code: clean.action === "reject" ? "pii_rejected" : "pii_quarantined",
    measure: Object.values(clean.counts).reduce((total, count) => total + count, 0),
    threshold: 0,
    detail: types.join(" ").slice(0, 200),
  };
}

function resultOf(clean: CleanInput, judgement: Judgement | undefined): Curated {
  const pii = { piiAction: clean.action, piiCounts: clean.counts, duplicateOf: null };
  const none = { text: null, title: "", textBytes: 0, relaxedStep: 0 };
  if (judgement === undefined) return { verdict: "rejected", reasons: [piiReason(clean)], ...none, ...pii };
  const reasons = clean.action === "quarantine" ? [piiReason(clean), ...judgement.reasons] : judgement.reasons;
  const verdict: Verdict =
    clean.action === "quarantine" && judgement.verdict === "accepted" ? "quarantined" : judgement.verdict;
  if (verdict === "rejected") return { verdict, reasons, ...none, ...pii };
  const relaxedStep = verdict === "accepted" ? judgement.relaxedStep : 0;
  const { text, title } = clean;
  return { verdict, reasons, text, title, textBytes: utf8Bytes(text).length, relaxedStep, ...pii };
}

function duplicatesOf(
  inputs: readonly CurateInput[],
  results: readonly Curated[],
  { tenantId, policy, sketches }: CurateOptions,
): ReadonlyMap<number, DuplicateOf> {
  const originals = new Map<number, DuplicateOf>();
  if (!policy.duplicates.enabled || results.length < 2) return originals;
  const indexes = results.flatMap((result, index) => (result.verdict === "accepted" ? [index] : []));
  const candidates = indexes.map((index) => {
    const { tier, userId, occurredAtMs, speaker = "" } = at(inputs, index);
    // What is sealed keeps its values: texts that differ in one of them are different texts, as they are in the store.
    const text = policy.pii.reversible ? at(inputs, index).text : (at(results, index).text ?? "");
    return { tenantId, userId, tier, speaker, occurredAtMs, text };
  });
  const isUntouched = indexes.every((index, place) => candidates[place]?.text === at(inputs, index).text);
  const known =
    sketches === undefined || !isUntouched
      ? candidates.map((candidate) => sketchOf(candidate.text))
      : indexes.map((index) => at(sketches, index));
  // Without bands there are no near candidates: a near duplicate that is let in can then be the original of an exact one.
  const compared = policy.duplicates.near ? known : known.map((sketch) => ({ ...sketch, bands: [] }));
  for (const match of findDuplicatesInBatch(candidates, compared)) {
    const index = at(indexes, match.originalIndex);
    const { kind, similarity } = match;
    originals.set(at(indexes, match.index), { index, id: at(inputs, index).id, kind, similarity });
  }
  return originals;
}

function asDuplicate(result: Curated, duplicateOf: DuplicateOf | undefined): Curated {
  if (duplicateOf === undefined) return result;
  const measure = Math.round(duplicateOf.similarity * 10_000) / 10_000;
  const reason: Reason = { code: `duplicate_${duplicateOf.kind}`, measure };
  return { ...result, verdict: "duplicate", reasons: [reason], relaxedStep: 0, duplicateOf };
}
