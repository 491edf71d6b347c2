/** Where an event stands in its conversation. */
export interface Turn {
  /** Names the session among all that one search sees. */
  readonly session: string;
  /** 1, 2, 3 … within the session. */
  readonly seq: number;
  /** Who said it, '' where that is not known. */
  readonly speaker: string;
}

/** The turns whose sentences a summary is made of. */
export interface SummarisedTurns {
  readonly session: string;
  readonly seqs: readonly number[];
}

/** A chunk that one side of a search found, with the scores of both sides. */
export interface Candidate {
  /** Unique in a search and stable between searches: breaks ties. */
  readonly key: string;
  readonly tier: string;
  readonly documentKey: string;
  readonly startOffset: number;
  readonly endOffset: number;
  readonly text: string;
  /** Cosine with the query, -1..1, or null when vectors were not searched. */
  readonly vectorScore: number | null;
  /** BM25, 0 or more, or null when words were not searched. */
  readonly lexicalScore: number | null;
  readonly occurredAtMs: number | null;
  /** The chunk's unit vector, where smoothing is wanted. */
  readonly vector: Float32Array | null;
  /** Of an event of a session. */
  readonly turn: Turn | null;
  /** Of a summary. */
  readonly summarises: SummarisedTurns | null;
}

/** What a place in a conversation adds to a score, see conversation-bonus.ts. */
export interface ConversationBonus {
  readonly speaker: number;
  readonly nextTurn: number;
  readonly session: number;
}

/** Why a hit stands where it stands. */
export interface ScoreParts extends ConversationBonus {
  /** Both sides together, before and after smoothing. */
  readonly fused: number;
  readonly smoothed: number;
  readonly vectorNormalised: number;
  readonly lexicalNormalised: number;
  /** Position among the candidates of each side, from 1; null when the side did not find it. */
  readonly vectorRank: number | null;
  readonly lexicalRank: number | null;
  readonly tierWeight: number;
  readonly recency: number;
  readonly exactMatch: number;
  readonly timeWindow: number;
}

/** Why a candidate is no hit of its own: the hit says what it says, covers more than half of it, or is its summary or its member. */
export type CollapseReason = "same_text" | "overlap" | "summary";

export interface Collapsed<C extends Candidate> {
  readonly candidate: C;
  readonly reason: CollapseReason;
}

export interface RankedHit<C extends Candidate> {
  readonly candidate: C;
  readonly score: number;
  readonly parts: ScoreParts;
  /** Worse candidates that this hit stands for, best first, as far as they were met before the answer was full. */
  readonly collapsed: readonly Collapsed<C>[];
}
