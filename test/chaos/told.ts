/** What clients were told: the promises that a recount holds against what is there. */
import type { AcceptReply } from "../../src/lib/contract/accept-reply.ts";

export interface Owner {
  readonly tenantId: string;
  /** '' for what the tenant shares. */
  readonly userId: string;
}

export interface ToldDocument extends Owner {
  readonly documentId: string;
  readonly text: string;
}

/** A request that was answered with 202, as often as it was sent under its key. */
export interface ToldRequest {
  readonly tenantId: string;
  readonly key: string;
  readonly batchTag: string;
  readonly documents: readonly ToldDocument[];
  readonly replies: AcceptReply[];
}

/** A session with the texts of the events that were acknowledged, by seq. */
export interface ToldSession extends Owner {
  readonly sessionId: string;
  readonly acked: Map<number, string>;
}

export interface Told {
  readonly requests: ToldRequest[];
  readonly sessions: ToldSession[];
  /** Documents of entries that Redis has taken: the bridge owes them. */
  readonly entries: ToldDocument[];
}

export function nothingTold(): Told {
  return { requests: [], sessions: [], entries: [] };
}
