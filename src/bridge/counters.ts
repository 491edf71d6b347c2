/** What a bridge has done since it started. Names are part of the JSON output: docs/bridge.md lists them. */
export interface BridgeCounters {
  /** Stream entries that this bridge got to deliver: new ones, its own from before, those of others that it took over. */
  entries_read: number;
  entries_acked: number;
  /** Of entries_read: pending at another consumer, or at this one before it started. */
  entries_recovered: number;
  /** Taken over by another bridge before they were planned here, which delivers them. */
  entries_lost_to_others: number;
  /** Pending, but trimmed from the stream by its producer before anyone could deliver them. */
  entries_vanished: number;
  messages_received: number;
  /** Channel messages that found the buffer full, or were in it when the bridge gave up. */
  messages_dropped: number;
  messages_dead_lettered: number;
  requests_accepted: number;
  /** Of requests_accepted: the API had accepted them before. */
  requests_replayed: number;
  requests_refused: number;
  requests_retried: number;
  documents_accepted: number;
  documents_duplicate: number;
  documents_quarantined: number;
  documents_rejected: number;
  redis_failures: number;
}

export function newCounters(): BridgeCounters {
  return {
    entries_read: 0,
    entries_acked: 0,
    entries_recovered: 0,
    entries_lost_to_others: 0,
    entries_vanished: 0,
    messages_received: 0,
    messages_dropped: 0,
    messages_dead_lettered: 0,
    requests_accepted: 0,
    requests_replayed: 0,
    requests_refused: 0,
    requests_retried: 0,
    documents_accepted: 0,
    documents_duplicate: 0,
    documents_quarantined: 0,
    documents_rejected: 0,
    redis_failures: 0,
  };
}
