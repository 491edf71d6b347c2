-- The jsonb store looks at every row of a scope, so it needs no index for search and no role to read one. The table of document frequencies
-- is there so that both stores have the same tables.
create table lexeme_stats (
  tenant_id text not null,
  user_id text not null,
  tier text not null,
  model_id integer not null,
  dimension integer not null,
  chunk_count bigint not null,
  refreshed_at timestamptz not null default now(),
  primary key (tenant_id, model_id, dimension, user_id, tier)
);

alter table lexeme_stats enable row level security;
alter table lexeme_stats force row level security;
create policy user_isolation on lexeme_stats
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_delete on lexeme_stats as restrictive for delete using ((select app_user_id()) in ('*', user_id));
grant select, insert, delete on lexeme_stats to jeeves_app;
