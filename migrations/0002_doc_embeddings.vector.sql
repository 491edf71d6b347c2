-- Chunks with their vectors, where the "vector" extension is there. See 0002_doc_embeddings.jsonb.sql for the other case.
-- embedding has no fixed dimensions: several models live side by side, each with its own partial expression index.
-- lexemes holds term counts (capped at 15) under hashed stems: BM25 is computed from them at query time.

create extension if not exists vector;

create table doc_embeddings (
  tenant_id text not null,
  model_id integer not null,
  document_uid uuid not null,
  chunk_index integer not null,
  user_id text not null default '',
  tier text not null,
  source text not null default '',
  batch_tag text not null,
  generation bigint not null,
  chunk_hash bytea not null,
  text text not null,
  start_offset integer not null,
  end_offset integer not null,
  token_count integer not null,
  lexeme_count integer not null,
  embedding halfvec not null,
  lexemes sparsevec not null,
  occurred_at timestamptz,
  artifact_id text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, model_id, document_uid, generation, chunk_index)
) partition by hash (tenant_id);

create table doc_embeddings_p00 partition of doc_embeddings for values with (modulus 16, remainder 0);
create table doc_embeddings_p01 partition of doc_embeddings for values with (modulus 16, remainder 1);
create table doc_embeddings_p02 partition of doc_embeddings for values with (modulus 16, remainder 2);
create table doc_embeddings_p03 partition of doc_embeddings for values with (modulus 16, remainder 3);
create table doc_embeddings_p04 partition of doc_embeddings for values with (modulus 16, remainder 4);
create table doc_embeddings_p05 partition of doc_embeddings for values with (modulus 16, remainder 5);
create table doc_embeddings_p06 partition of doc_embeddings for values with (modulus 16, remainder 6);
create table doc_embeddings_p07 partition of doc_embeddings for values with (modulus 16, remainder 7);
create table doc_embeddings_p08 partition of doc_embeddings for values with (modulus 16, remainder 8);
create table doc_embeddings_p09 partition of doc_embeddings for values with (modulus 16, remainder 9);
create table doc_embeddings_p10 partition of doc_embeddings for values with (modulus 16, remainder 10);
create table doc_embeddings_p11 partition of doc_embeddings for values with (modulus 16, remainder 11);
create table doc_embeddings_p12 partition of doc_embeddings for values with (modulus 16, remainder 12);
create table doc_embeddings_p13 partition of doc_embeddings for values with (modulus 16, remainder 13);
create table doc_embeddings_p14 partition of doc_embeddings for values with (modulus 16, remainder 14);
create table doc_embeddings_p15 partition of doc_embeddings for values with (modulus 16, remainder 15);

-- Scope first: small scopes are searched exactly through this b-tree.
create index doc_embeddings_scope on doc_embeddings (tenant_id, user_id, tier, model_id);
-- Known vectors are reused by the hash of the chunk.
create index doc_embeddings_chunk_hash on doc_embeddings (tenant_id, model_id, chunk_hash);
create index doc_embeddings_batch on doc_embeddings (tenant_id, batch_tag);

-- Exact sizes of search scopes, kept by triggers so that no write path can forget them. They sit on the whole table:
-- nothing is granted on the partitions.
create table scope_counts (
  tenant_id text not null,
  user_id text not null,
  tier text not null,
  model_id integer not null,
  chunk_count bigint not null default 0,
  lexeme_total bigint not null default 0,
  primary key (tenant_id, user_id, tier, model_id)
);

create function count_added_chunks() returns trigger language plpgsql as $$
begin
  insert into scope_counts as counts (tenant_id, user_id, tier, model_id, chunk_count, lexeme_total)
  select tenant_id, user_id, tier, model_id, count(*), sum(lexeme_count) from added
  group by tenant_id, user_id, tier, model_id order by tenant_id, user_id, tier, model_id
  on conflict (tenant_id, user_id, tier, model_id) do update
    set chunk_count = counts.chunk_count + excluded.chunk_count,
        lexeme_total = counts.lexeme_total + excluded.lexeme_total;
  return null;
end $$;

create function count_removed_chunks() returns trigger language plpgsql as $$
begin
  insert into scope_counts as counts (tenant_id, user_id, tier, model_id, chunk_count, lexeme_total)
  select tenant_id, user_id, tier, model_id, -count(*), -sum(lexeme_count) from removed
  group by tenant_id, user_id, tier, model_id order by tenant_id, user_id, tier, model_id
  on conflict (tenant_id, user_id, tier, model_id) do update
    set chunk_count = counts.chunk_count + excluded.chunk_count,
        lexeme_total = counts.lexeme_total + excluded.lexeme_total;
  return null;
end $$;

create function count_changed_chunks() returns trigger language plpgsql as $$
begin
  insert into scope_counts as counts (tenant_id, user_id, tier, model_id, chunk_count, lexeme_total)
  select tenant_id, user_id, tier, model_id, sum(chunk_count), sum(lexeme_count) from (
    select tenant_id, user_id, tier, model_id, 1 as chunk_count, lexeme_count from added
    union all
    select tenant_id, user_id, tier, model_id, -1, -lexeme_count from removed
  ) as changes
  group by tenant_id, user_id, tier, model_id having sum(chunk_count) <> 0 or sum(lexeme_count) <> 0
  order by tenant_id, user_id, tier, model_id
  on conflict (tenant_id, user_id, tier, model_id) do update
    set chunk_count = counts.chunk_count + excluded.chunk_count,
        lexeme_total = counts.lexeme_total + excluded.lexeme_total;
  return null;
end $$;

create function count_no_chunks() returns trigger language plpgsql as $$
begin
  delete from scope_counts;
  return null;
end $$;

create trigger doc_embeddings_added after insert on doc_embeddings
  referencing new table as added for each statement execute function count_added_chunks();
create trigger doc_embeddings_removed after delete on doc_embeddings
  referencing old table as removed for each statement execute function count_removed_chunks();
create trigger doc_embeddings_changed after update on doc_embeddings
  referencing old table as removed new table as added for each statement execute function count_changed_chunks();
create trigger doc_embeddings_emptied after truncate on doc_embeddings
  for each statement execute function count_no_chunks();

alter table doc_embeddings enable row level security;
alter table doc_embeddings force row level security;
create policy user_isolation on doc_embeddings
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on doc_embeddings as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on doc_embeddings as restrictive for delete using ((select app_user_id()) in ('*', user_id));

alter table scope_counts enable row level security;
alter table scope_counts force row level security;
create policy user_isolation on scope_counts
  using (tenant_id = (select app_tenant_id()) and (user_id = '' or (select app_user_id()) in ('*', user_id)))
  with check (tenant_id = (select app_tenant_id()) and (select app_user_id()) in ('*', user_id));
create policy user_update on scope_counts as restrictive for update using ((select app_user_id()) in ('*', user_id));
create policy user_delete on scope_counts as restrictive for delete using ((select app_user_id()) in ('*', user_id));

grant select, insert, update, delete on doc_embeddings, scope_counts to jeeves_app;
