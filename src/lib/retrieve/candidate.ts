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
}

/** Why a hit stands where it stands. */
export interface ScoreParts {
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
}

export interface RankedHit<C extends Candidate> {
  readonly candidate: C;
  readonly score: number;
  readonly parts: ScoreParts;
}
