/**
 * Every error code of the HTTP surface, with its status and a fixed title (RFC 9457 problem details).
 * Codes are part of the contract: they are added, never renamed.
 */
export const PROBLEMS = {
  unauthenticated: { status: 401, title: "No API key was given" },
  key_malformed: { status: 401, title: "The API key is not well-formed" },
  key_unknown: { status: 401, title: "The API key is not known" },
  key_revoked: { status: 401, title: "The API key was revoked" },
  key_expired: { status: 401, title: "The API key has expired" },
  token_malformed: { status: 401, title: "The write token is not well-formed" },
  token_invalid: { status: 401, title: "The write token was not made here" },
  token_expired: { status: 401, title: "The write token has expired" },
  token_other_session: { status: 401, title: "The write token is one of another session" },
  scope_missing: { status: 403, title: "The API key lacks the scope for this" },
  user_forbidden: { status: 403, title: "The API key is bound to another user" },
  session_unknown: { status: 404, title: "There is no such session" },
  not_found: { status: 404, title: "There is no such thing" },
  method_not_allowed: { status: 405, title: "This method is not allowed here" },
  media_type_unsupported: { status: 415, title: "The content type is not supported" },
  content_encoding_unsupported: { status: 415, title: "The content encoding is not supported" },
  body_malformed: { status: 400, title: "The body could not be parsed" },
  body_truncated: { status: 400, title: "The compressed body ends too early or is damaged" },
  body_not_utf8: { status: 400, title: "The body is not valid UTF-8" },
  body_too_deep: { status: 400, title: "The body is nested too deeply" },
  body_invalid: { status: 422, title: "The body does not have the expected shape" },
  body_too_large: { status: 413, title: "The body is too large" },
  body_bomb: { status: 413, title: "The body grows too large when decompressed" },
  too_many_documents: { status: 413, title: "There are too many documents in one request" },
  no_documents: { status: 422, title: "There is no document in the request" },
  parameter_invalid: { status: 422, title: "A parameter is not valid" },
  idempotency_key_invalid: { status: 422, title: "The Idempotency-Key is not valid" },
  idempotency_key_reused: { status: 409, title: "The Idempotency-Key was used with another body" },
  upgrade_required: { status: 426, title: "This is a WebSocket: ask for the upgrade" },
  conflict: { status: 409, title: "The request conflicts with the present state" },
  session_closed: { status: 409, title: "The session is closed: open it again to go on" },
  sessions_full: { status: 429, title: "No more sessions can be open now" },
  rate_limited: { status: 429, title: "Too many requests" },
  embedder_unavailable: { status: 503, title: "The embedding server cannot be reached" },
  embedder_mismatch: { status: 503, title: "The embedding server runs another model than the active one" },
  database_unavailable: { status: 503, title: "The database cannot be reached" },
  storage_unavailable: { status: 503, title: "The object store cannot be reached" },
  pii_analyzer_unavailable: { status: 503, title: "The analyzer for personal data does not answer" },
  pii_key_missing: { status: 503, title: "The tenant's key for reversible placeholders is missing" },
  session_backlogged: { status: 503, title: "The session has too many events that could not be passed on" },
  sessions_unavailable: { status: 503, title: "Sessions cannot be reached" },
  sessions_not_configured: { status: 503, title: "This deployment has no secret for sessions" },
  no_active_model: { status: 503, title: "No embedding model is active" },
  internal: { status: 500, title: "Something went wrong on our side" },
} as const satisfies Record<string, { status: number; title: string }>;
export type ProblemCode = keyof typeof PROBLEMS;

/** An expected failure on its way to the wire. `detail` is for the caller and holds sizes, ids and limits, never content or secrets. */
export interface Problem {
  readonly code: ProblemCode;
  readonly detail?: string;
  readonly retryAfterSeconds?: number;
  readonly pointer?: string;
  /** Rows of others were about to leave. For the metric and the log; never on the wire. */
  readonly isolation?: { readonly place: IsolationPlace; readonly foreignCount: number };
}

/** Where rows are checked a last time before they leave. */
export const ISOLATION_PLACES = [
  "search",
  "receipts",
  "quarantine",
  "artifacts",
  "batches",
  "dead_letters",
  "traces",
  "keys",
  "documents",
  "sessions",
  "profiles",
  "canary",
] as const;
export type IsolationPlace = (typeof ISOLATION_PLACES)[number];
