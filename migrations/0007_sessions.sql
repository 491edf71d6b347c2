-- What of live conversations lies in segments, and which documents follow each other in time.

-- A session as far as it is sealed: the totals of its registered segments. erased_at: no segment sealed before that is registered any more.
create table sessions (
  tenant_id text not null,
  user_id text not null default '',
  session_id text not null,
  source text not null default '',
  first_event_at timestamptz,
  last_event_at timestamptz,
  sealed_seq bigint not null default 0,
  event_count bigint not null default 0,
  segment_count integer not null default 0,
  updated_at timestamptz not null default now(),
  erased_at timestamptz,
  primary key (tenant_id, user_id, session_id)
);

-- The documents that an artifact holds, in order: position is an event's seq.
create table artifact_members (
  tenant_id text not null,
  artifact_id text not null,
  user_id text not null default '',
  position bigint not null,
  document_uid uuid not null,
  primary key (tenant_id, artifact_id, position)
);

create index artifact_members_document on artifact_members (tenant_id, document_uid);

-- Whose an object is: a user's, everybody's (''), or the whole tenant's with every user in it ('*': reports, packs, backups), which no key of one
-- user sees.
alter table artifacts add column user_id text not null default '*';
create index artifacts_user on artifacts (tenant_id, user_id, artifact_id);

drop policy tenant_isolation on artifacts;
create policy user_isolation on artifacts
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on artifacts as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on artifacts as restrictive for delete using ((select app_user_id()) in ('*', user_id));

alter table sessions enable row level security;
alter table sessions force row level security;
create policy user_isolation on sessions
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on sessions as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on sessions as restrictive for delete using ((select app_user_id()) in ('*', user_id));

alter table artifact_members enable row level security;
alter table artifact_members force row level security;
create policy user_isolation on artifact_members
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on artifact_members as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on artifact_members as restrictive for delete using ((select app_user_id()) in ('*', user_id));

grant select, insert, update, delete on sessions, artifact_members to jeeves_app;

-- Documents of one series of one user follow each other in time: each is valid until the next one's time, the newest one without end (null).
alter table documents
  add column series text,
  add column valid_until timestamptz;
create index documents_series on documents (tenant_id, user_id, series, version_key) where series is not null;
alter table doc_embeddings add column valid_until timestamptz;
