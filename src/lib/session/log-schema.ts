/** Tables of one session's log, in the SQLite of its Durable Object. */
export const LOG_SCHEMA = [
  // One row: what is known of the session as a whole. `turns` are the last turns that were sent, as JSON: context of the next event.
  `create table if not exists session (
     only_row integer primary key check (only_row = 1),
     tenant_id text not null, user_id text not null, session_id text not null, source text not null,
     salt text not null, is_closed integer not null, opened_at_ms integer not null, active_at_ms integer not null,
     last_event_at_ms integer, lease_expires_at_ms integer not null,
     received_seq integer not null, durable_seq integer not null, queued_seq integer not null,
     embedded_seq integer not null, sealed_seq integer not null,
     refused_count integer not null, turns text not null, seal_asked_seq integer not null,
     log_bytes integer not null, log_first_at_ms integer, judged_by text not null)`,
  // Events that are in no segment. `frame` is null where no text is kept; `hash` is salted, so that it tells nothing of a refused text.
  `create table if not exists events (
     seq integer primary key, hash text not null, frame blob, occurred_at_ms integer, judgement text not null,
     text_bytes integer not null, size_bytes integer not null, received_at_ms integer not null)`,
  // Micro-batches, each a run of events that is one WAL object. open: takes events; closed: is to be written; sent: is in the queue.
  `create table if not exists batches (
     first_seq integer primary key, last_seq integer not null, wal_id text not null unique, state text not null,
     size_bytes integer not null, opened_at_ms integer not null, request_id text not null,
     judged_by text not null, trace_id text)`,
  "create index if not exists batches_state on batches (state, first_seq)",
  // planned: is to be written; stored: lies in R2, its events are gone from here.
  `create table if not exists segments (
     first_seq integer primary key, last_seq integer not null, state text not null, created_at_ms integer not null,
     judged_by text not null, event_count integer not null, first_at_ms integer, last_at_ms integer,
     object_key text, sha256 text, size_bytes integer not null, announced_at_ms integer not null, registered integer not null)`,
  // Objects that a plan given up may have left in R2.
  "create table if not exists orphans (object_key text primary key) without rowid",
] as const;
