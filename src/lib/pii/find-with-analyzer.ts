import { err, ok, type Result } from "../base/result.ts";
import type { PiiPolicy, PiiSpan } from "../contract/pii.ts";
import type { Analyzer, AnalyzerError } from "./analyzer-client.ts";
import { finderFor, typesActedOn } from "./find-for-policy.ts";
import { outsidePlaceholders } from "./placeholder.ts";
import { resolveOverlaps } from "./resolve-overlaps.ts";

/** Spans, and whether the external analyzer was asked for and did not answer. */
export interface Findings {
  readonly spans: readonly PiiSpan[];
  readonly analyzerError: AnalyzerError | undefined;
}

/**
 * What built-in rules and the external analyzer find together. Where the analyzer fails, `analyzer_failure: "closed"` gives its error and
 * "open" the built-in findings alone.
 */
export async function findWithAnalyzer(
  text: string,
  policy: PiiPolicy,
  analyzer: Analyzer | undefined,
): Promise<Result<Findings, AnalyzerError>> {
  const types = typesActedOn(policy);
  if (types.size === 0) return ok({ spans: [], analyzerError: undefined });
  const own = finderFor(policy)(text);
  if (analyzer === undefined) return ok({ spans: own, analyzerError: undefined });
  const external = await analyzer(text, policy.score_min);
  if (!external.ok) {
    return policy.analyzer_failure === "closed"
      ? err(external.error)
      : ok({ spans: own, analyzerError: external.error });
  }
  const wanted = external.value.filter((span) => types.has(span.type) && span.score >= policy.score_min);
  const spans = resolveOverlaps(outsidePlaceholders(text, [...own, ...wanted]), text.length);
  return ok({ spans, analyzerError: undefined });
}
