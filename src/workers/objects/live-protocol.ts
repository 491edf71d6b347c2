/** Subprotocol of a session's WebSocket. */
export const LIVE_PROTOCOL = "jeeves.v1";
/**
 * Headers by which the Worker tells the log whose socket it is: the session as JSON, percent-encoded, the hash of its key, and the trace of the upgrade. No client's header comes
 * that far.
 */
export const LIVE_HEADERS = {
  session: "x-jeeves-session",
  keyHash: "x-jeeves-key-hash",
  traceId: "x-jeeves-trace",
} as const;
