import { ok, type Result } from "../../base/result.ts";
import type { Candidate } from "../../body/decoded-body.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { LanguageDetector } from "../../gate/language.ts";
import type { Analyzer } from "../../pii/analyzer-client.ts";
import type { PiiKeyring } from "../../pii/keyring.ts";
import { analyseTexts } from "./analyse-texts.ts";
import { judgeInputs, type JudgedInput } from "./judge-inputs.ts";
import { detectorFor } from "./language-detector.ts";
import { sealInputs } from "./seal-inputs.ts";
import { sealingKey } from "./sealing-key.ts";

/** What judging needs of the world. */
export interface JudgingContext {
  readonly loadLanguageDetector: () => Promise<LanguageDetector>;
  /** Finds personal data by other means than the built-in rules, where the operator has such a server. */
  readonly analyzer?: Analyzer | undefined;
  /** Keys of tenants whose placeholders open again, where the operator holds some. */
  readonly piiKeys?: PiiKeyring | undefined;
}

export interface RequestToJudge {
  readonly principal: Principal;
  readonly candidates: readonly Candidate[];
  readonly nowMs: number;
}

/**
 * The inputs of a request with their verdicts, as they may be stored: what an ingest does and a dry run shows. Errors:
 * `pii_analyzer_unavailable`, `pii_key_missing`, `body_too_large`; none of it may be stored then.
 */
export async function judgeRequest(
  context: JudgingContext,
  { principal, candidates, nowMs }: RequestToJudge,
): Promise<Result<readonly JudgedInput[], Problem>> {
  const { policy, tenantId, userId } = principal;
  const key = await sealingKey(context.piiKeys, tenantId, policy.pii);
  if (!key.ok) return key;
  const spans = await analyseTexts(candidates, policy.pii, context.analyzer);
  if (!spans.ok) return spans;
  const inputs = judgeInputs(candidates, {
    tenantId,
    policy,
    boundUserId: userId,
    nowMs,
    detectLanguage: await detectorFor(policy, context.loadLanguageDetector),
    spans: spans.value,
  });
  return key.value === undefined
    ? ok(inputs)
    : sealInputs(inputs, { policy: policy.pii, key: key.value, spans: spans.value });
}
