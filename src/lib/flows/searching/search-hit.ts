import { receiptId } from "../../base/document-uid.ts";
import { metadataSchema } from "../../contract/document.ts";
import { tierSchema } from "../../contract/scope.ts";
import type { Neighbour, SearchHit } from "../../contract/search.ts";
import type { RankedHit } from "../../retrieve/candidate.ts";
import type { SearchCandidate } from "./ranking-candidate.ts";

/** A hit as it leaves; `neighbours` undefined where none were asked for. */
export function hitOf(
  hit: RankedHit<SearchCandidate>,
  neighbours: readonly Neighbour[] | undefined,
  explain: boolean,
): SearchHit {
  const { row } = hit.candidate;
  const metadata = metadataSchema.safeParse(row.metadata);
  return {
    tier: tierSchema.parse(row.tier),
    score: hit.score,
    text: row.text,
    document_id: row.document_id,
    user_id: row.user_id === "" ? null : row.user_id,
    source: row.source === "" ? null : row.source,
    title: row.title === "" ? null : row.title,
    metadata: metadata.success ? metadata.data : {},
    occurred_at: row.occurred_at_ms === null ? null : new Date(row.occurred_at_ms).toISOString(),
    chunk_index: row.chunk_index,
    start_offset: row.start_offset,
    end_offset: row.end_offset,
    receipt: receiptId(row.wal_id, row.document_index),
    ...(neighbours === undefined ? {} : { neighbours: [...neighbours] }),
    ...(explain ? { score_parts: scorePartsOf(hit), collapsed: collapsedOf(hit) } : {}),
  };
}

function scorePartsOf({ parts, candidate }: RankedHit<SearchCandidate>): NonNullable<SearchHit["score_parts"]> {
  return {
    vector: candidate.vectorScore,
    lexical: candidate.lexicalScore,
    vector_normalised: parts.vectorNormalised,
    lexical_normalised: parts.lexicalNormalised,
    vector_rank: parts.vectorRank,
    lexical_rank: parts.lexicalRank,
    fused: parts.fused,
    smoothed: parts.smoothed,
    tier_weight: parts.tierWeight,
    recency: parts.recency,
    exact_match: parts.exactMatch,
    speaker: parts.speaker,
    next_turn: parts.nextTurn,
    session: parts.session,
    time_window: parts.timeWindow,
  };
}

function collapsedOf({ collapsed }: RankedHit<SearchCandidate>): NonNullable<SearchHit["collapsed"]> {
  return collapsed.map(({ candidate: { row }, reason }) => ({
    tier: tierSchema.parse(row.tier),
    document_id: row.document_id,
    chunk_index: row.chunk_index,
    reason,
  }));
}
