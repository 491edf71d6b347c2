import { z } from "zod";
import type { CandidateRow } from "../../db/queries/search.ts";
import type { Candidate, SummarisedTurns, Turn } from "../../retrieve/candidate.ts";
import { storedVector } from "../models/stored-vector.ts";

/** A row as the union ranks it. */
export interface SearchCandidate extends Candidate {
  readonly row: CandidateRow;
}

/** What the metadata of an event of a session hold; clients may send events of their own with it. */
const turnSchema = z.object({
  session_id: z.string().min(1),
  seq: z.int().min(1),
  speaker: z.string().optional(),
});
/** What the metadata of a session's summary hold. */
const summarySchema = z.object({ session_id: z.string().min(1), members: z.array(z.int().min(1)) });

export function candidateOf(row: CandidateRow): SearchCandidate {
  return {
    key: `${row.document_uid}/${row.chunk_index}`,
    tier: row.tier,
    documentKey: row.document_uid,
    startOffset: row.start_offset,
    endOffset: row.end_offset,
    text: row.text,
    vectorScore: row.vector_score,
    lexicalScore: row.lexical_score,
    occurredAtMs: row.occurred_at_ms,
    vector: row.embedding === null ? null : storedVector(row.embedding),
    turn: turnOf(row),
    summarises: summarisedBy(row),
    row,
  };
}

// Two users may name their sessions alike.
function sessionKey(row: CandidateRow, sessionId: string): string {
  return JSON.stringify([row.user_id, sessionId]);
}

function turnOf(row: CandidateRow): Turn | null {
  const turn = row.tier === "event" ? turnSchema.safeParse(row.metadata) : undefined;
  if (turn?.success !== true) return null;
  const { session_id: sessionId, seq, speaker = "" } = turn.data;
  return { session: sessionKey(row, sessionId), seq, speaker };
}

function summarisedBy(row: CandidateRow): SummarisedTurns | null {
  const summary = row.tier === "summary" ? summarySchema.safeParse(row.metadata) : undefined;
  return summary?.success === true
    ? { session: sessionKey(row, summary.data.session_id), seqs: summary.data.members }
    : null;
}
