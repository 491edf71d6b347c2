-- What packs of a tenant are compressed with. A dictionary holds pieces of the texts that it was trained on: user_hashes says whose, as user_hash() has
-- them, so that an erasure of one of them finds it. Its bytes are the artifact `dictionary-<dictionary_id>`. One that did not win has no object; its row
-- says that the training took place. measured_bytes and plain_bytes: held-out records compressed with it, and without any.
create table dictionaries (
  tenant_id text not null,
  dictionary_id text not null,
  is_current boolean not null default false,
  has_object boolean not null default false,
  user_hashes bytea[] not null default '{}',
  measured_bytes bigint not null default 0,
  plain_bytes bigint not null default 0,
  trained_at timestamptz not null default now(),
  primary key (tenant_id, dictionary_id),
  check (has_object or not is_current)
);
create unique index dictionaries_current on dictionaries (tenant_id) where is_current;

alter table dictionaries enable row level security;
alter table dictionaries force row level security;
create policy tenant_isolation on dictionaries
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));
grant select, insert, update, delete on dictionaries to jeeves_app;
