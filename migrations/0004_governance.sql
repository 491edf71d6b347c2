-- What a tenant asks of its inputs (policies), what was decided about them (quarantine, receipts), and what batches looked like (profiles).

-- The policy travels with the key record: it is read before any tenant is known, together with the key.
alter table tenants add column policy_version bigint not null default 0;
create policy key_reads_tenant on tenants for select
  using (tenant_id = (select k.tenant_id from api_keys k
    where k.key_hash = decode(nullif(current_setting('app.key_hash', true), ''), 'hex')));

-- Every policy that was ever in force: verdicts name theirs by version.
create table policy_versions (
  tenant_id text not null,
  policy_version bigint not null,
  policy jsonb not null,
  changed_by text not null,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, policy_version)
);

alter table policy_versions enable row level security;
alter table policy_versions force row level security;
create policy tenant_isolation on policy_versions
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));
grant select, insert on policy_versions to jeeves_app;

-- A quarantined input and what was decided about it. The row outlives the text: text_removed_at says when that went.
alter table quarantine
  add column state text not null default 'held' check (state in ('held', 'releasing', 'released', 'purged')),
  add column object_range integer not null default 0,
  add column document_index integer not null default 0,
  add column tier text not null default 'doc',
  add column version_key text not null default '' collate "C",
  add column decided_by text,
  add column decided_at timestamptz,
  add column decision_note text not null default '',
  add column release_wal_id text,
  add column text_removed_at timestamptz;

create index quarantine_expiry on quarantine (tenant_id, created_at) where text_removed_at is null;

-- What a report and a drift profile are counted from, kept for rejected and quarantined inputs too.
alter table receipts
  add column source text not null default '',
  add column tier text not null default '',
  add column language text not null default '',
  add column character_count integer not null default 0,
  add column relaxed_step integer not null default 0,
  add column pii_counts jsonb not null default '{}',
  add column gate_version text not null default '',
  add column pii_version text not null default '',
  add column policy_version bigint not null default 0,
  add column model_id integer,
  add column duplicate_of uuid;

-- The rules that each stored text was searched with; '' before there were any. duplicate_of names the document that holds this one's text.
alter table documents
  add column pii_version text not null default '',
  add column duplicate_of uuid,
  add column duplicate_hash bytea;
alter table doc_embeddings add column pii_version text not null default '';

create index documents_duplicates on documents (tenant_id, duplicate_of) where duplicate_of is not null;
create index documents_pii_version on documents (tenant_id, pii_version, document_uid) where deleted_at is null;

-- Distributions of a finished batch: what drift is measured between.
create table batch_profiles (
  tenant_id text not null,
  batch_tag text not null,
  profile jsonb not null,
  document_count bigint not null,
  first_applied_at timestamptz not null,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, batch_tag)
);

create index batch_profiles_order on batch_profiles (tenant_id, first_applied_at desc, batch_tag desc);

alter table batch_profiles enable row level security;
alter table batch_profiles force row level security;
create policy tenant_isolation on batch_profiles
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));
grant select, insert, update, delete on batch_profiles to jeeves_app;

-- What duplicates are found by. One row a document whose text is searched for, and one for each of the 32 bands of its signature: equality on
-- a bigint may use an index under row-level security, an array operator may not.
create table document_signatures (
  tenant_id text not null,
  document_uid uuid not null,
  user_id text not null default '',
  tier text not null,
  speaker text not null default '',
  occurred_at timestamptz,
  sketch_version integer not null,
  normalised_hash bytea not null,
  signature bytea not null,
  primary key (tenant_id, document_uid)
);

create index document_signatures_hash on document_signatures (tenant_id, normalised_hash);

create table signature_bands (
  tenant_id text not null,
  band bigint not null,
  document_uid uuid not null,
  user_id text not null default '',
  primary key (tenant_id, band, document_uid)
);

create index signature_bands_document on signature_bands (tenant_id, document_uid);

alter table document_signatures enable row level security;
alter table document_signatures force row level security;
create policy user_isolation on document_signatures
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on document_signatures as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on document_signatures as restrictive for delete using ((select app_user_id()) in ('*', user_id));

alter table signature_bands enable row level security;
alter table signature_bands force row level security;
create policy user_isolation on signature_bands
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on signature_bands as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on signature_bands as restrictive for delete using ((select app_user_id()) in ('*', user_id));

grant select, insert, update, delete on document_signatures, signature_bands to jeeves_app;
