/** Subprotocol of a session's WebSocket. */
export const LIVE_PROTOCOL = "jeeves.v1";
/**
 * Headers by which the Worker tells the log whose socket it is: the session as JSON, percent-encoded, and the hash of its key. No client's header comes
 * that far.
 */
export const LIVE_HEADERS = { session: "x-jeeves-session", keyHash: "x-jeeves-key-hash" } as const;
