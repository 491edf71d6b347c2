import type { Candidate } from "../../body/decoded-body.ts";
import {
  parseDocument,
  type DocumentRefusal,
  type ParseContext,
  type ParsedDocument,
} from "../../body/parse-document.ts";
import type { PiiSpan } from "../../contract/pii.ts";
import type { TenantPolicy } from "../../contract/policy.ts";
import type { Curation, WalDocument } from "../../contract/wal-record.ts";
import { curateBatch, type Curated, type CurateInput } from "../../curate/curate-batch.ts";
import { normalisedHash } from "../../duplicates/sketch.ts";
import type { LanguageDetector } from "../../gate/language.ts";
import { redactMetadata, sumCounts, type RedactedMetadata } from "./redact-metadata.ts";
import type { Content } from "./seal-content.ts";

/** One input with its verdict, ready for the WAL. `textBytes` is 0 where no text is kept. */
export interface JudgedInput {
  readonly document: WalDocument;
  readonly textBytes: number;
  /** What the client sent of an input whose text is kept: for sealing, and never to be stored. */
  readonly original?: Content;
}

export interface JudgeContext extends ParseContext {
  readonly tenantId: string;
  readonly policy: TenantPolicy;
  /** Needed where the policy lets some languages in only. */
  readonly detectLanguage?: LanguageDetector | undefined;
  /** Spans by text, where an external analyzer was asked. */
  readonly spans?: ReadonlyMap<string, readonly PiiSpan[]> | undefined;
}

/** A document whose shape is right, with its place in the request. */
interface Input {
  readonly index: number;
  readonly document: ParsedDocument;
  readonly metadata: RedactedMetadata;
}

/**
 * Judges the inputs of a request as one batch, by the tenant's policy. What is not let in leaves nothing but its id, its place and its
 * reasons; of two with the same identity the first wins. Pure.
 */
export function judgeInputs(candidates: readonly Candidate[], context: JudgeContext): JudgedInput[] {
  const judged: JudgedInput[] = [];
  const inputs: Input[] = [];
  for (const [index, candidate] of candidates.entries()) {
    const owner = { userId: context.boundUserId, tier: "doc", source: "" } as const;
    const parsed = "reason" in candidate ? undefined : parseDocument(candidate.value, context);
    if (parsed?.ok === true) {
      const metadata = redactMetadata(parsed.value.metadata, context.policy.pii);
      inputs.push({ index, document: parsed.value, metadata });
    } else {
      const refusal = "reason" in candidate ? { documentId: "", reasons: [candidate.reason] } : parsed?.error;
      if (refusal !== undefined) judged[index] = refused(refusal, index, owner);
    }
  }
  for (const { input, curated } of curateInputs(inputs, context)) judged[input.index] = judgedInput(input, curated);
  return judged;
}

/** What curation made of an input, and for a duplicate the normalised hash of its original. */
interface Judged extends Curated {
  readonly originalHash?: string;
}

interface CuratedInput {
  readonly input: Input;
  readonly curated: Judged | "same_identity";
}

/** An input of an identity that came before is no input: what is left is curated again, so that nothing is a duplicate of it. */
function curateInputs(inputs: readonly Input[], context: JudgeContext): readonly CuratedInput[] {
  const first = curate(inputs, context);
  const seen = new Set<string>();
  const repeated = new Set<Input>();
  for (const [place, input] of inputs.entries()) {
    if (first[place]?.verdict === "rejected") continue;
    const { userId, tier, id } = input.document;
    const identity = JSON.stringify([userId, tier, id]);
    if (seen.has(identity)) repeated.add(input);
    seen.add(identity);
  }
  const kept = repeated.size === 0 ? inputs : inputs.filter((input) => !repeated.has(input));
  const curated = repeated.size === 0 ? first : curate(kept, context);
  const results = kept.flatMap((input, place) => {
    const result = curated[place];
    return result === undefined ? [] : [{ input, curated: result }];
  });
  return [...results, ...[...repeated].map((input) => ({ input, curated: "same_identity" as const }))];
}

/** Inputs held back for their metadata are curated by themselves: none may be the original of another. */
function curate(inputs: readonly Input[], context: JudgeContext): readonly (Judged | undefined)[] {
  const results: (Judged | undefined)[] = [];
  const byFate = Map.groupBy(inputs.keys(), (place) => inputs[place]?.metadata.action ?? "allow");
  const clean = [...(byFate.get("allow") ?? []), ...(byFate.get("redact") ?? [])].sort((a, b) => a - b);
  for (const places of [clean, byFate.get("quarantine") ?? [], byFate.get("reject") ?? []]) {
    const batch = places.flatMap((place) => inputs[place] ?? []);
    const { results: curated } = curateBatch(batch.map(curateInputOf), {
      tenantId: context.tenantId,
      policy: context.policy,
      ...(context.detectLanguage === undefined ? {} : { detectLanguage: context.detectLanguage }),
      ...(context.spans === undefined
        ? {}
        : { spans: batch.map(({ document }) => context.spans?.get(document.text) ?? []) }),
    });
    for (const [nth, place] of places.entries()) {
      const result = curated[nth];
      if (result === undefined) continue;
      const original = result.duplicateOf === null ? undefined : curated[result.duplicateOf.index]?.text;
      const judged = withMetadata(result, inputs[place]?.metadata);
      results[place] = typeof original === "string" ? { ...judged, originalHash: normalisedHash(original) } : judged;
    }
  }
  return results;
}

function curateInputOf({ document }: Input): CurateInput {
  const { speaker } = document.metadata;
  return {
    id: document.id,
    text: document.text,
    tier: document.tier,
    source: document.source,
    userId: document.userId,
    occurredAtMs: document.occurredAtMs,
    title: document.title,
    ...(typeof speaker === "string" ? { speaker } : {}),
  };
}

/** The stricter of both judgements. */
function withMetadata(curated: Curated, metadata: RedactedMetadata | undefined): Curated {
  if (metadata === undefined || metadata.action === "allow" || metadata.action === "redact") return curated;
  const measure = Object.values(metadata.counts).reduce((sum, count) => sum + count, 0);
  const isRejected = metadata.action === "reject" || curated.verdict === "rejected";
  const code = isRejected ? "pii_rejected" : "pii_quarantined";
  const reasons = [{ code, measure, threshold: 0, detail: "/metadata" }, ...curated.reasons];
  return isRejected
    ? { ...curated, verdict: "rejected", reasons, text: null, title: "", textBytes: 0, duplicateOf: null }
    : { ...curated, verdict: "quarantined", reasons, duplicateOf: null };
}

function judgedInput({ index, document, metadata }: Input, curated: Judged | "same_identity"): JudgedInput {
  if (curated === "same_identity")
    return refused({ documentId: document.id, reasons: [{ code: "duplicate_id_in_request" }] }, index, document);
  const curation = curationOf(document, curated, metadata);
  if (curated.verdict === "rejected" || curated.text === null) {
    const { document: refusal, textBytes } = refused(
      { documentId: document.id, reasons: curated.reasons },
      index,
      document,
    );
    return { document: { ...refusal, curation }, textBytes };
  }
  return {
    document: {
      document_index: index,
      document_id: document.id,
      user_id: document.userId,
      tier: document.tier,
      source: document.source,
      title: curated.title,
      metadata: metadata.metadata,
      occurred_at_ms: document.occurredAtMs,
      text: curated.text,
      verdict: curated.verdict,
      reasons: reasonsOf(curated),
      curation,
    },
    textBytes: curated.textBytes,
    original: document,
  };
}

/** A duplicate's reason names its original. */
function reasonsOf({ reasons, duplicateOf }: Curated): WalDocument["reasons"] {
  return reasons.map((reason) =>
    duplicateOf !== null && reason.code.startsWith("duplicate_") ? { ...reason, detail: duplicateOf.id } : reason,
  );
}

function curationOf(document: ParsedDocument, curated: Judged, metadata: RedactedMetadata): Curation {
  const piiCounts = sumCounts(curated.piiCounts, metadata.counts);
  const hasPii = Object.keys(piiCounts).length > 0;
  const { duplicateOf, originalHash } = curated;
  return {
    character_count: document.text.length,
    ...(curated.relaxedStep === 0 ? {} : { relaxed_step: curated.relaxedStep }),
    ...(hasPii ? { pii_counts: piiCounts } : {}),
    ...(duplicateOf === null || originalHash === undefined
      ? {}
      : { duplicate_of: { document_id: duplicateOf.id, normalised_hash: originalHash } }),
  };
}

/** What is kept of a rejected input: which one it was and why. Its content, title and metadata are not stored. */
function refused(
  refusal: DocumentRefusal,
  index: number,
  document: Pick<ParsedDocument, "userId" | "tier" | "source">,
): JudgedInput {
  return {
    document: {
      document_index: index,
      document_id: refusal.documentId,
      user_id: document.userId,
      tier: document.tier,
      source: document.source,
      title: "",
      metadata: {},
      occurred_at_ms: null,
      text: null,
      verdict: "rejected",
      reasons: [...refusal.reasons],
    },
    textBytes: 0,
  };
}
