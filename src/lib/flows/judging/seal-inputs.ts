import { LIMITS } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { PiiPolicy, PiiSpan } from "../../contract/pii.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Reason } from "../../contract/verdict.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { normalisedHash } from "../../duplicates/sketch.ts";
import { finderFor } from "../../pii/find-for-policy.ts";
import type { PiiKey } from "../../pii/pii-key.ts";
import { Sealer } from "../../pii/seal.ts";
import type { JudgedInput } from "./judge-inputs.ts";
import { planSealing, sealContent, type SealPlan } from "./seal-content.ts";

export interface SealContext {
  readonly policy: PiiPolicy;
  readonly key: PiiKey;
  /** Spans by text, where an external analyzer was asked. */
  readonly spans?: ReadonlyMap<string, readonly PiiSpan[]> | undefined;
}

/**
 * Gives judged inputs sealed placeholders in place of numbered ones, in text, title and metadata. Verdicts stay, but that what grows past its
 * limit is rejected with `sealed_too_large`. Equal values have equal placeholders, so the same request gives the same bytes again. Errors:
 * `body_too_large` where the request as a whole grows past what an isolate can hold.
 */
export async function sealInputs(
  inputs: readonly JudgedInput[],
  { policy, key, spans }: SealContext,
): Promise<Result<readonly JudgedInput[], Problem>> {
  const find = finderFor(policy);
  const findInText = spans === undefined ? find : (text: string) => spans.get(text) ?? [];
  const plans = inputs.map(({ document, original }) =>
    document.text === null || original === undefined ? undefined : planSealing(original, policy, { find, findInText }),
  );
  const sizeBytes = plans.reduce((sum, plan) => sum + (plan?.refusal === undefined ? (plan?.sizeBytes ?? 0) : 0), 0);
  if (sizeBytes > LIMITS.decompressedBytesMax) {
    const detail = `sealed placeholders make it ${sizeBytes} bytes, at most ${LIMITS.decompressedBytesMax}: send fewer documents`;
    return err({ code: "body_too_large", detail });
  }
  const sealer = new Sealer(key);
  const sealed: JudgedInput[] = [];
  for (const [index, input] of inputs.entries()) sealed.push(await sealInput(input, plans[index], sealer));
  return ok(withSealedOriginals(sealed));
}

async function sealInput(input: JudgedInput, plan: SealPlan | undefined, sealer: Sealer): Promise<JudgedInput> {
  if (plan === undefined) return input;
  if (plan.refusal !== undefined) return { document: refused(input.document, plan.refusal), textBytes: 0 };
  const { text, title, metadata } = await sealContent(plan, sealer);
  return { ...input, document: { ...input.document, text, title, metadata }, textBytes: plan.textBytes };
}

/** What is kept of an input that cannot be sealed: which one it was, why, and its counts. */
function refused(document: WalDocument, reason: Reason): WalDocument {
  const nothing = { title: "", metadata: {}, occurred_at_ms: null, text: null };
  return { ...document, ...nothing, verdict: "rejected", reasons: [reason] };
}

/** Duplicates name the hash of the text that is stored of their original; without an original they are the first of their kind. */
function withSealedOriginals(inputs: readonly JudgedInput[]): readonly JudgedInput[] {
  const nameOf = ({ user_id: userId, tier }: WalDocument, documentId: string) =>
    JSON.stringify([userId, tier, documentId]);
  const originals = new Map<string, string>();
  for (const { document } of inputs)
    if (document.verdict === "accepted" && document.text !== null)
      originals.set(nameOf(document, document.document_id), document.text);
  return inputs.map((input) => {
    const { document } = input;
    const { duplicate_of: original, ...curation } = document.curation ?? {};
    if (original === undefined) return input;
    if (document.verdict !== "duplicate") return { ...input, document: { ...document, curation } };
    const text = originals.get(nameOf(document, original.document_id));
    if (text === undefined) return { ...input, document: { ...document, verdict: "accepted", reasons: [], curation } };
    const sealed = { ...original, normalised_hash: normalisedHash(text) };
    return { ...input, document: { ...document, curation: { ...curation, duplicate_of: sealed } } };
  });
}
