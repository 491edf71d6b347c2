-- Findings of the orphan check: what was seen, when first and when last. A repair asks for two sights an hour apart, so that it meets no writer in the
-- middle of its work. The subject is a hash: keys of objects name users.
create table orphan_marks (
  tenant_id text not null,
  kind text not null,
  subject_hash bytea not null check (octet_length(subject_hash) = 32),
  first_seen_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  primary key (tenant_id, kind, subject_hash)
);

alter table orphan_marks enable row level security;
alter table orphan_marks force row level security;
create policy tenant_isolation on orphan_marks
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));
grant select, insert, update, delete on orphan_marks to jeeves_app;
