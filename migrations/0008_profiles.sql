-- What is known of a user: facts by key. Each change of a fact is a row of its own, so that what held at any time can be said.

-- What tells that a row changed. Not a secret and not an identity: 64 bits are enough to notice a change.
create function profile_content_hash(removed boolean, value text, source text, observed_at timestamptz) returns bigint
  language sql immutable parallel safe
  as $$ select hashtextextended(removed::text || E'\x1f' || source || E'\x1f' || extract(epoch from observed_at)::text || E'\x1f' || value, 0) $$;

-- version counts the changes of the whole profile; a fact's version is the change that wrote it. observed_at: since when it is true (for a
-- removed fact: since when it is not). outbox: the document on its way to the WAL, from the commit of the row until its WAL object is there.
-- sent_hash: content that was last put into the outbox; where it is not the row's content, somebody changed the row by SQL.
create table profiles (
  tenant_id text not null,
  user_id text not null,
  fact_key text collate "C" not null check (char_length(fact_key) <= 80) check (fact_key ~ '^[^/]+$'),
  version bigint not null check (version > 0),
  value text not null default '' check (char_length(value) <= 20000),
  source text not null default '' check (char_length(source) <= 200),
  observed_at timestamptz not null default now(),
  recorded_at timestamptz not null default now(),
  removed boolean not null default false,
  sent_hash bigint,
  sent_at timestamptz,
  outbox jsonb,
  primary key (tenant_id, user_id, fact_key, version)
);

create index profiles_unsent on profiles (tenant_id, user_id)
  where outbox is not null or sent_hash is distinct from profile_content_hash(removed, value, source, observed_at);

alter table profiles enable row level security;
alter table profiles force row level security;
create policy user_isolation on profiles
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on profiles as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on profiles as restrictive for delete using ((select app_user_id()) in ('*', user_id));

-- Jobs work tenant by tenant and have to know which ones have work. The function below is the one place where the setting is made, and ids of
-- tenants are all that leaves it.
create policy unsent_tenants on profiles for select
  using ((select current_setting('app.unsent_profiles', true)) = 'tenants' and (outbox is not null or sent_hash is distinct from profile_content_hash(removed, value, source, observed_at)));
create function tenants_with_unsent_profiles() returns setof text
  language sql stable set app.unsent_profiles = 'tenants'
  as $$ select distinct tenant_id from profiles
     where outbox is not null or sent_hash is distinct from profile_content_hash(removed, value, source, observed_at)
     order by 1 limit 10000 $$;

grant select, insert, update, delete on profiles to jeeves_app;

-- Place of a document in its series, before its version: a fact's version stays in its place when it is sent again.
alter table documents add column series_position bigint not null default 0;
