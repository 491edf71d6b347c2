import { LIMITS } from "../../base/limits.ts";
import { err, ok, type Result } from "../../base/result.ts";
import { Semaphore } from "../../base/semaphore.ts";
import type { Candidate } from "../../body/decoded-body.ts";
import type { PiiPolicy, PiiSpan } from "../../contract/pii.ts";
import type { Problem } from "../../contract/problem.ts";
import type { Analyzer } from "../../pii/analyzer-client.ts";
import { findWithAnalyzer } from "../../pii/find-with-analyzer.ts";

/** Texts at the analyzer at a time: a Worker has six connections, and R2 needs one. */
const CALLS_MAX = 4;

/**
 * Asks the external analyzer for each text of a request, before any of it is judged or stored. Undefined where there is none to ask. Errors:
 * `pii_analyzer_unavailable` where it does not answer and the policy does not go on without it; nothing was stored then.
 */
export async function analyseTexts(
  candidates: readonly Candidate[],
  policy: PiiPolicy,
  analyzer: Analyzer | undefined,
): Promise<Result<ReadonlyMap<string, readonly PiiSpan[]> | undefined, Problem>> {
  if (analyzer === undefined || !policy.enabled) return ok(undefined);
  const texts = [...new Set(candidates.flatMap(textOf))];
  const calls = new Semaphore(CALLS_MAX);
  const spans = new Map<string, readonly PiiSpan[]>();
  let hasFailed = false;
  await Promise.all(
    texts.map((text) =>
      calls.run(async () => {
        if (hasFailed) return;
        const found = await findWithAnalyzer(text, policy, analyzer);
        if (found.ok) spans.set(text, found.value.spans);
        else hasFailed = true;
      }),
    ),
  );
  return hasFailed ? err({ code: "pii_analyzer_unavailable" }) : ok(spans);
}

/** The text of an input, unless it is too large to be let in. */
function textOf(candidate: Candidate): readonly string[] {
  if ("reason" in candidate || typeof candidate.value !== "object" || candidate.value === null) return [];
  const text: unknown = Reflect.get(candidate.value, "text");
  return typeof text === "string" && text.length <= LIMITS.documentBytesMax ? [text] : [];
}
