import type { Result } from "../../base/result.ts";
import type { Problem } from "../../contract/problem.ts";
import type { SessionIdentity } from "../../session/session-log-api.ts";

/** What one request has erased so far. */
interface Tally {
  documents: number;
  chunks: number;
  segments: number;
  heldTexts: number;
}

/** An erasure on its way through its steps. */
export interface SessionErasure {
  readonly session: SessionIdentity;
  /** Made after the log was empty: every version that came of it is older. */
  readonly deletionId: string;
  readonly tally: Tally;
}

/** What one step came to: whether there is more of its kind than one request erases. */
export type ErasureStep = Result<{ readonly done: boolean }, Problem>;
