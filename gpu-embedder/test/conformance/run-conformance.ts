import type { ConformanceCase } from "./conformance-case.ts";
import { OPENAI_CASES } from "./openai-cases.ts";
import { STRICTER_CASES } from "./stricter-cases.ts";
import type { Target } from "./target.ts";
import { TEI_CASES } from "./tei-cases.ts";

export const ALL_CASES: readonly ConformanceCase[] = [...OPENAI_CASES, ...TEI_CASES, ...STRICTER_CASES];

/** What became of a case; `failure` is undefined where it holds. */
export type CaseOutcome = { readonly case: ConformanceCase; readonly failure: string | undefined };

/** Runs cases one after another. Never rejects. */
export async function runConformance(
  target: Target,
  cases: readonly ConformanceCase[],
): Promise<readonly CaseOutcome[]> {
  const outcomes: CaseOutcome[] = [];
  for (const each of cases) {
    const failure = await each.run(target).then(
      () => undefined,
      (cause: unknown) => (cause instanceof Error ? cause.message : "failed"),
    );
    outcomes.push({ case: each, failure });
  }
  return outcomes;
}
