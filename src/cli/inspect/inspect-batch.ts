import { CHUNKER_VERSION } from "../../lib/chunk/chunk-text.ts";
import type { Metadata } from "../../lib/contract/document.ts";
import type { TenantPolicy } from "../../lib/contract/policy.ts";
import type { PiiSpan } from "../../lib/contract/pii.ts";
import { type Curated, curateBatch, type CurateInput } from "../../lib/curate/curate-batch.ts";
import { prepareChunks } from "../../lib/flows/indexing/prepare-document.ts";
import { inspectText } from "../../lib/gate/inspect-text.ts";
import { GATE_VERSION } from "../../lib/gate/profile.ts";
import { applyPiiPolicy } from "../../lib/pii/apply-policy.ts";
import { findPii, PII_RULES_VERSION } from "../../lib/pii/find-pii.ts";
import type { LocalTokenizer } from "../local/local-tokenizer.ts";
import type { Inspection, InspectionPart } from "./inspection.ts";

/** A text with the file it came from and what its record says besides. */
export interface InspectInput extends CurateInput {
  readonly path: string;
  readonly metadata: Metadata;
}

export interface InspectOptions {
  readonly tenantId: string;
  readonly policy: TenantPolicy;
  readonly parts: ReadonlySet<InspectionPart>;
  /** Needed for `chunks` only. */
  readonly tokenizer: LocalTokenizer | undefined;
}

/** What the system would do with each text of one batch. Offsets are those of the text as given, also where it would be redacted. Pure. */
export function inspectBatch(inputs: readonly InspectInput[], options: InspectOptions): readonly Inspection[] {
  const { policy, parts } = options;
  const needsSpans = parts.has("pii") || parts.has("verdict");
  const spans = inputs.map(({ text }) => (needsSpans ? findPii(text, { scoreMin: policy.pii.score_min }) : []));
  const curated = parts.has("verdict") ? curateBatch(inputs, { ...options, spans }).results : [];
  return inputs.map((input, index) => ({
    path: input.path,
    id: input.id,
    tier: input.tier,
    source: input.source,
    characters: input.text.length,
    ...verdictPart(curated[index]),
    ...(parts.has("rules") ? { rules: rulesPart(input, policy) } : {}),
    ...(parts.has("pii") ? { pii: piiPart(input, spans[index] ?? [], policy) } : {}),
    ...(parts.has("chunks") ? { chunks: chunksPart(input, options.tokenizer) } : {}),
  }));
}

function verdictPart(curated: Curated | undefined): Partial<Inspection> {
  if (curated === undefined) return {};
  const { verdict, reasons, relaxedStep, duplicateOf } = curated;
  const original =
    duplicateOf === null ? null : { id: duplicateOf.id, kind: duplicateOf.kind, similarity: duplicateOf.similarity };
  return { verdict, reasons: [...reasons], relaxed_step: relaxedStep, duplicate_of: original };
}

function rulesPart(input: InspectInput, policy: TenantPolicy): Inspection["rules"] {
  const { rules } = inspectText(input.text, input.tier, policy.gate);
  return { gate_version: GATE_VERSION, measured: [...rules] };
}

function piiPart(input: InspectInput, spans: readonly PiiSpan[], policy: TenantPolicy): Inspection["pii"] {
  const { action } = applyPiiPolicy(input.text, spans, policy.pii);
  return { rules_version: PII_RULES_VERSION, action, spans: [...spans] };
}

function chunksPart(input: InspectInput, tokenizer: LocalTokenizer | undefined): Inspection["chunks"] {
  if (tokenizer === undefined) return undefined;
  const document = {
    document_index: 0,
    document_id: input.id,
    user_id: input.userId,
    tier: input.tier,
    source: input.source,
    title: input.title,
    metadata: input.metadata,
    occurred_at_ms: input.occurredAtMs,
    text: input.text,
    verdict: "accepted" as const,
    reasons: [],
  };
  const model = { maxInputTokens: tokenizer.maxInputTokens, documentPrefix: "" };
  const chunks = prepareChunks(document, tokenizer.counter, model);
  const items = chunks.map((chunk) => ({
    index: chunk.chunkIndex,
    start: chunk.startOffset,
    end: chunk.endOffset,
    token_count: chunk.tokenCount,
    context: chunk.context,
  }));
  const tokenCount = items.reduce((total, item) => total + item.token_count, 0);
  return { chunker_version: CHUNKER_VERSION, token_count: tokenCount, items };
}
