import type { SetQuestion } from "./conversation-set.ts";

/** How a ranking of turns covers the evidence of questions. */
export interface RecallFigures {
  readonly questionCount: number;
  /** |evidence ∩ first k| / |evidence|, averaged over the questions. */
  readonly recall5: number;
  readonly recall10: number;
  readonly recall20: number;
  /** Share of questions whose whole evidence is among the first ten. */
  readonly all10: number;
}

/** One question with the turns that a ranking gave for it, best first. */
export interface Answered {
  readonly question: SetQuestion;
  readonly turnIds: readonly string[];
}

/** Figures of the questions that have evidence. Pure. */
export function recallOf(answered: readonly Answered[]): RecallFigures {
  const judged = answered.filter(({ question }) => question.evidence.length > 0);
  const mean = (of: (each: Answered) => number): number =>
    judged.reduce((sum, each) => sum + of(each), 0) / Math.max(1, judged.length);
  return {
    questionCount: judged.length,
    recall5: mean((each) => recallAt(each, 5)),
    recall10: mean((each) => recallAt(each, 10)),
    recall20: mean((each) => recallAt(each, 20)),
    all10: mean((each) => (recallAt(each, 10) === 1 ? 1 : 0)),
  };
}

function recallAt({ question: { evidence }, turnIds }: Answered, k: number): number {
  const first = new Set(turnIds.slice(0, k));
  return evidence.filter((id) => first.has(id)).length / evidence.length;
}
