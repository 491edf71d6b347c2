import { ok, type Result } from "../../base/result.ts";
import type { Principal } from "../../contract/principal.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Reason } from "../../contract/verdict.ts";
import type { Curation } from "../../contract/wal-record.ts";
import { judgeRequest, type JudgingContext } from "../judging/judge-request.ts";
import { sentenceOf } from "./fact-document.ts";

export interface FactToJudge {
  readonly userId: string;
  readonly key: string;
  readonly value: string;
  readonly source: string;
  /** ISO 8601 with offset. */
  readonly observedAt: string;
}

/** A fact as it may be stored. `text` is the sentence, `value` what of it stands after the key; '' where it is refused. */
export interface JudgedFact {
  readonly isRefused: boolean;
  readonly value: string;
  readonly text: string;
  readonly reasons: readonly Reason[];
  readonly curation: Curation | undefined;
}

/**
 * Judges facts by the tenant's policy of the tier `profile`, aligned with `facts`. What an ingest would hold back is refused as well: a fact is
 * there or it is not. Equal facts are no duplicates of each other: each stands for itself. Errors: those of `judgeRequest`.
 */
export async function judgeFacts(
  context: JudgingContext,
  {
    principal,
    facts,
    nowMs,
  }: { readonly principal: Principal; readonly facts: readonly FactToJudge[]; readonly nowMs: number },
): Promise<Result<readonly JudgedFact[], Problem>> {
  if (facts.length === 0) return ok([]);
  const policy = { ...principal.policy, duplicates: { enabled: false, near: false } };
  const candidates = facts.map((fact, index) => ({
    value: {
      id: String(index),
      tier: "profile",
      user_id: fact.userId,
      source: fact.source,
      occurred_at: fact.observedAt,
      text: sentenceOf(fact.key, fact.value),
    },
  }));
  const judged = await judgeRequest(context, { principal: { ...principal, policy }, candidates, nowMs });
  if (!judged.ok) return judged;
  return ok(judged.value.map(({ document }, index) => judgedFact(document, facts[index]?.key ?? "")));
}

function judgedFact(
  document: {
    readonly verdict: string;
    readonly text: string | null;
    readonly reasons: readonly Reason[];
    readonly curation?: Curation | undefined;
  },
  key: string,
): JudgedFact {
  const { text, reasons, curation } = document;
  const prefix = sentenceOf(key, "");
  const refused = (why: readonly Reason[]): JudgedFact => ({
    isRefused: true,
    value: "",
    text: "",
    reasons: why,
    curation,
  });
  if (document.verdict !== "accepted" || text === null) return refused(reasons);
  // Names of facts are kept as they are, in ids: one that would have to be redacted cannot be one.
  if (!text.startsWith(prefix)) return refused([{ code: "fact_key_personal" }]);
  return { isRefused: false, value: text.slice(prefix.length), text, reasons, curation };
}
