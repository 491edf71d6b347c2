-- The store without its vectors: tenants, keys, models, documents, the ledger and what became of each input.
-- One statement per call reaches the server (Neon's HTTP endpoint), so the runner splits this file at top-level semicolons.
-- user_id '' means "shared by the tenant". app.user_id '*' means "every user of the tenant" and is set by the system only.

create function app_tenant_id() returns text language sql stable parallel safe
  as $$ select nullif(current_setting('app.tenant_id', true), '') $$;

create function app_user_id() returns text language sql stable parallel safe
  as $$ select coalesce(current_setting('app.user_id', true), '') $$;

-- The role of the Workers: owns nothing, bypasses nothing. An operator gives it a password.
do $$ begin
  create role jeeves_app login nosuperuser nocreatedb nocreaterole nobypassrls;
exception when duplicate_object or unique_violation then null;
end $$;

create table tenants (
  tenant_id text primary key check (tenant_id ~ '^[a-z0-9][a-z0-9-]{0,47}$'),
  display_name text not null default '',
  policy jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create table api_keys (
  key_id text primary key,
  tenant_id text not null references tenants (tenant_id) on delete cascade,
  user_id text not null default '',
  key_hash bytea not null unique check (octet_length(key_hash) = 32),
  hint text not null,
  label text not null default '',
  scopes text[] not null check (scopes <@ array['ingest', 'search', 'admin'] and cardinality(scopes) > 0),
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  rotated_to text
);

create index api_keys_tenant on api_keys (tenant_id, created_at);

create table embedding_models (
  model_id integer generated always as identity primary key,
  fingerprint text not null unique,
  model_name text not null,
  revision text not null,
  dimensions integer not null check (dimensions between 1 and 4000),
  max_input_tokens integer not null check (max_input_tokens > 0),
  query_prefix text not null default '',
  document_prefix text not null default '',
  state text not null check (state in ('shadow', 'active', 'retired')),
  info jsonb not null default '{}',
  created_at timestamptz not null default now()
);

create unique index embedding_models_one_active on embedding_models (state) where state = 'active';

create table batches (
  tenant_id text not null,
  batch_tag text not null,
  indexed_count bigint not null default 0,
  unchanged_count bigint not null default 0,
  duplicate_count bigint not null default 0,
  quarantined_count bigint not null default 0,
  rejected_count bigint not null default 0,
  failed_count bigint not null default 0,
  chunk_count bigint not null default 0,
  chunk_reused_count bigint not null default 0,
  chunk_failed_count bigint not null default 0,
  token_count bigint not null default 0,
  first_applied_at timestamptz not null default now(),
  last_applied_at timestamptz not null default now(),
  primary key (tenant_id, batch_tag)
);

create index batches_recent on batches (tenant_id, last_applied_at desc);

-- version_key orders the versions of one document: WAL ulid, then position in it. A deleted document stays as a
-- tombstone, so that a late message cannot bring it back.
create table documents (
  tenant_id text not null,
  document_uid uuid not null,
  user_id text not null default '',
  document_id text not null,
  tier text not null check (tier in ('event', 'summary', 'doc', 'profile', 'artifact')),
  source text not null default '',
  title text not null default '',
  metadata jsonb not null default '{}',
  content_hash bytea not null,
  model_id integer not null,
  generation bigint not null default 1,
  version_key text not null collate "C",
  batch_tag text not null,
  wal_key text not null,
  wal_id text not null,
  document_index integer not null,
  chunk_count integer not null default 0,
  token_count integer not null default 0,
  character_count integer not null default 0,
  occurred_at timestamptz,
  deleted_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, document_uid)
);

create index documents_batch on documents (tenant_id, batch_tag);
create index documents_user on documents (tenant_id, user_id);

-- One row per applied range of a WAL object: the dedupe key that commits together with its effect.
create table wal_ledger (
  tenant_id text not null,
  wal_id text not null collate "C",
  range_index integer not null,
  batch_tag text not null,
  state text not null check (state in ('applied', 'dead')),
  document_count integer not null,
  applied_at timestamptz not null default now(),
  primary key (tenant_id, wal_id, range_index)
);

create index wal_ledger_batch on wal_ledger (tenant_id, batch_tag);

-- What became of each input. The public receipt id is made of wal_id and document_index.
create table receipts (
  tenant_id text not null,
  wal_id text not null collate "C",
  document_index integer not null,
  user_id text not null default '',
  batch_tag text not null,
  document_uid uuid,
  document_id text not null,
  outcome text not null check (outcome in ('indexed', 'unchanged', 'duplicate', 'quarantined', 'rejected', 'failed')),
  reasons jsonb not null default '[]',
  version_key text not null collate "C",
  chunk_count integer not null default 0,
  chunk_reused_count integer not null default 0,
  chunk_failed_count integer not null default 0,
  token_count integer not null default 0,
  applied_at timestamptz not null default now(),
  primary key (tenant_id, wal_id, document_index)
);

create index receipts_batch on receipts (tenant_id, batch_tag, outcome);

create table quarantine (
  tenant_id text not null,
  quarantine_id text not null,
  user_id text not null default '',
  document_id text not null,
  source text not null default '',
  batch_tag text not null,
  reasons jsonb not null,
  object_key text not null,
  size_bytes integer not null,
  created_at timestamptz not null default now(),
  primary key (tenant_id, quarantine_id)
);

-- Work that cannot succeed as it is: pointers and a reason code, never text. tenant_id 'system' for what has no tenant.
create table dead_letters (
  tenant_id text not null,
  dead_letter_id text not null,
  queue text not null,
  code text not null,
  wal_key text,
  wal_id text,
  range_index integer,
  document_index integer,
  chunk_index integer,
  attempts integer not null default 0,
  detail jsonb not null default '{}',
  created_at timestamptz not null default now(),
  resolved_at timestamptz,
  primary key (tenant_id, dead_letter_id)
);

create index dead_letters_open on dead_letters (tenant_id, created_at) where resolved_at is null;

create table artifacts (
  tenant_id text not null,
  artifact_id text not null,
  kind text not null check (kind in ('segment', 'pack', 'backup', 'dictionary', 'report', 'snapshot', 'model')),
  object_key text not null,
  media_type text not null,
  size_bytes bigint not null,
  sha256 bytea not null check (octet_length(sha256) = 32),
  batch_tag text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, artifact_id),
  unique (tenant_id, object_key)
);

create table job_leases (
  job_name text primary key,
  holder text not null,
  expires_at timestamptz not null,
  cursor jsonb not null default '{}'
);

create table job_runs (
  run_id text primary key,
  job_name text not null,
  scheduled_at timestamptz not null,
  started_at timestamptz not null default now(),
  finished_at timestamptz,
  outcome text check (outcome in ('done', 'partial', 'failed')),
  report jsonb not null default '{}'
);

create index job_runs_recent on job_runs (job_name, started_at desc);

-- Row-level security: the second wall behind the tenant and user condition that stands in every query.
-- Rows shared by the tenant can be read by each of its users; a user changes and deletes only rows of their own.
alter table tenants enable row level security;
alter table tenants force row level security;
create policy tenant_isolation on tenants
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));

-- A key is found by the hash of what the caller presented, before any tenant is known.
alter table api_keys enable row level security;
alter table api_keys force row level security;
create policy tenant_isolation on api_keys
  using (tenant_id = (select app_tenant_id())
    or encode(key_hash, 'hex') = (select nullif(current_setting('app.key_hash', true), '')))
  with check (tenant_id = (select app_tenant_id()));
create policy tenant_update on api_keys as restrictive for update using (tenant_id = (select app_tenant_id()));
create policy tenant_delete on api_keys as restrictive for delete using (tenant_id = (select app_tenant_id()));

alter table batches enable row level security;
alter table batches force row level security;
create policy tenant_isolation on batches
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));

alter table documents enable row level security;
alter table documents force row level security;
create policy user_isolation on documents
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on documents as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on documents as restrictive for delete using ((select app_user_id()) in ('*', user_id));

alter table wal_ledger enable row level security;
alter table wal_ledger force row level security;
create policy tenant_isolation on wal_ledger
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));

alter table receipts enable row level security;
alter table receipts force row level security;
create policy user_isolation on receipts
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on receipts as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on receipts as restrictive for delete using ((select app_user_id()) in ('*', user_id));

alter table quarantine enable row level security;
alter table quarantine force row level security;
create policy user_isolation on quarantine
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on quarantine as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on quarantine as restrictive for delete using ((select app_user_id()) in ('*', user_id));

alter table dead_letters enable row level security;
alter table dead_letters force row level security;
create policy tenant_isolation on dead_letters
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));

alter table artifacts enable row level security;
alter table artifacts force row level security;
create policy tenant_isolation on artifacts
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));

grant usage on schema public to jeeves_app;
grant select, insert, update, delete on tenants, api_keys, batches, documents, wal_ledger, receipts, quarantine,
  dead_letters, artifacts, job_leases, job_runs to jeeves_app;
grant select, insert, update on embedding_models to jeeves_app;
grant select on schema_migrations to jeeves_app;
