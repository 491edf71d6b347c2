-- Users that were erased. What they sent before loses against this row whenever it arrives, as a version loses against the tombstone of its document;
-- the rows themselves can go. No id stands here: a user is the SHA-256 of theirs.
create function user_hash(user_id text) returns bytea
  language sql stable parallel safe strict
  as $$ select sha256(convert_to(user_id, 'UTF8')) $$;

-- erased_before: a ulid; what has an earlier version is gone. erased_at: the same moment by this database's clock. progress: where the erasure stands
-- and what it has counted; null when it is done.
create table user_erasures (
  tenant_id text not null,
  user_hash bytea not null check (octet_length(user_hash) = 32),
  erasure_id text collate "C" not null,
  erased_before text collate "C" not null,
  erased_at timestamptz not null default clock_timestamp(),
  progress jsonb,
  primary key (tenant_id, user_hash)
);

alter table user_erasures enable row level security;
alter table user_erasures force row level security;
create policy tenant_isolation on user_erasures
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));
grant select, insert, update on user_erasures to jeeves_app;

-- An erasure counts and pages the rows of one user.
create index receipts_user on receipts (tenant_id, user_id, wal_id);
create index quarantine_user on quarantine (tenant_id, user_id, quarantine_id);
