import type { Candidate, ConversationBonus, Turn } from "./candidate.ts";
import { namedSpeakers } from "./named-speakers.ts";

/** A turn of the speaker whom the query names. Figures are flat from 0.1 to 0.3. */
const SPEAKER_WEIGHT = 0.15;
/** Share of the next turn's score: an answer shows that what it answers is to the point. */
const NEXT_TURN_WEIGHT = 0.15;
/** Share of what the session scores: the sum of its best turns, divided by their number. Flat from 0.2 to 0.4. */
const SESSION_WEIGHT = 0.2;
const SESSION_TURNS = 5;

const NO_BONUS: ConversationBonus = { speaker: 0, nextTurn: 0, session: 0 };

/**
 * What the place of an event in its conversation adds to its score; nothing for anything else. A turn of talk is short and says little by itself:
 * who says it, what it is answered with and what else was talked about then say more.
 *
 *     0.15 · [the query names its speaker] + 0.15 · score(turn seq + 1) + 0.2 · Σ of the five best scores of its session / 5
 *
 * A turn's score is that of its best chunk; turns that are no candidates count 0. `scores` and the result stand in the order of `candidates`. Pure.
 */
export function conversationBonuses(
  candidates: readonly Candidate[],
  scores: readonly number[],
  query: string,
): ConversationBonus[] {
  const turnScores = bestScoresOfTurns(candidates, scores);
  const sessions = sessionScores(turnScores);
  const named = namedSpeakers(query, new Set(candidates.map(({ turn }) => turn?.speaker ?? "")));
  return candidates.map(({ turn }) => {
    if (turn === null) return NO_BONUS;
    return {
      speaker: named.has(turn.speaker) ? SPEAKER_WEIGHT : 0,
      nextTurn: NEXT_TURN_WEIGHT * (turnScores.get(turn.session)?.get(turn.seq + 1) ?? 0),
      session: SESSION_WEIGHT * (sessions.get(turn.session) ?? 0),
    };
  });
}

type TurnScores = Map<Turn["session"], Map<Turn["seq"], number>>;

function bestScoresOfTurns(candidates: readonly Candidate[], scores: readonly number[]): TurnScores {
  const best: TurnScores = new Map();
  for (const [index, { turn }] of candidates.entries()) {
    if (turn === null) continue;
    const ofSession = best.get(turn.session) ?? new Map<number, number>();
    best.set(turn.session, ofSession.set(turn.seq, Math.max(ofSession.get(turn.seq) ?? 0, scores[index] ?? 0)));
  }
  return best;
}

function sessionScores(turnScores: TurnScores): Map<string, number> {
  const mean = (scores: readonly number[]): number =>
    scores
      .toSorted((a, b) => b - a)
      .slice(0, SESSION_TURNS)
      .reduce((sum, score) => sum + score, 0) / SESSION_TURNS;
  return new Map([...turnScores].map(([session, ofTurns]) => [session, mean([...ofTurns.values()])]));
}
