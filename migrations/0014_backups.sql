-- What a backup of a tenant saw: every transaction before watermark_xid had ended. The row's own xmin has to be written_xid, or this is another database than
-- the one that was backed up (a restored dump, say), whose transaction ids tell nothing about what changed since.
create table backup_marks (
  tenant_id text not null,
  backup_id text collate "C" not null,
  written_xid xid8 not null default pg_current_xact_id(),
  watermark_xid xid8 not null default pg_snapshot_xmin(pg_current_snapshot()),
  begun_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, backup_id)
);

alter table backup_marks enable row level security;
alter table backup_marks force row level security;
create policy tenant_isolation on backup_marks
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));
grant select, insert, update, delete on backup_marks to jeeves_app;

-- A backup has to know every tenant, also one that never sent anything. The function is the one place where the setting is made, and ids of tenants are all
-- that leaves it.
create policy listed_tenants on tenants for select
  using ((select current_setting('app.list_tenants', true)) = 'ids');
create function tenant_ids() returns setof text
  language sql stable set app.list_tenants = 'ids'
  as $$ select tenant_id from tenants order by 1 limit 10000 $$;
