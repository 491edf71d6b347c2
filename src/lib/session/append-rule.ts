/** What the log of a session knows of one place: the seq of its newest event and, for an older one, the hash of what was stored. */
export interface LogState {
  readonly lastSeq: number;
  /** Hash of the stored event, or undefined where the log holds it no longer (it was sealed and let go). */
  readonly hashOf: (seq: number) => string | undefined;
}

/**
 * What a frame does to the log. `append` is the next event; `repeat` is one that is durable already; a gap names the seq that is expected; a conflict is another
 * event under a seq that is taken.
 */
export type AppendJudgement =
  | { readonly action: "append" | "repeat" }
  | { readonly action: "refuse"; readonly code: "seq_gap" | "seq_conflict"; readonly expectedSeq: number };

/**
 * Judges a frame by its seq and the hash of its payload. A repeat of an event that was let go cannot be compared and counts as one: its client
 * had its ack long ago. Pure.
 */
export function judgeAppend(state: LogState, seq: number, hash: string): AppendJudgement {
  const expectedSeq = state.lastSeq + 1;
  if (seq === expectedSeq) return { action: "append" };
  if (seq > expectedSeq) return { action: "refuse", code: "seq_gap", expectedSeq };
  const stored = state.hashOf(seq);
  return stored === undefined || stored === hash
    ? { action: "repeat" }
    : { action: "refuse", code: "seq_conflict", expectedSeq };
}
