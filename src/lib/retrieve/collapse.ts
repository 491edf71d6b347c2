import type { Candidate, CollapseReason } from "./candidate.ts";

/** Share of a chunk that may be repeated by a better hit of the same document. */
const OVERLAP_SHARE_MAX = 0.5;

/** Why the worse of two candidates would repeat the better one, or undefined when each says something of its own. Pure. */
export function collapseReason(worse: Candidate, better: Candidate): CollapseReason | undefined {
  if (worse.text === better.text) return "same_text";
  if (worse.documentKey === better.documentKey && overlapShare(worse, better) > OVERLAP_SHARE_MAX) return "overlap";
  if (holds(worse, better) || holds(better, worse)) return "summary";
  return undefined;
}

function overlapShare(worse: Candidate, better: Candidate): number {
  const shared = Math.min(worse.endOffset, better.endOffset) - Math.max(worse.startOffset, better.startOffset);
  return shared / Math.max(1, worse.endOffset - worse.startOffset);
}

/** Whether the summary holds sentences of the event. */
function holds({ summarises }: Candidate, { turn }: Candidate): boolean {
  return (
    summarises !== null && turn !== null && summarises.session === turn.session && summarises.seqs.includes(turn.seq)
  );
}
