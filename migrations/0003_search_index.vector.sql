-- Search of large scopes: candidates from indexes that a maintenance job builds per partition once it is large enough.

-- Vectors and term counts are read by every scan, the text by the few rows that are hits: keep the former in the row.
alter table doc_embeddings alter column embedding set storage main;
alter table doc_embeddings alter column lexemes set storage main;

-- Document frequencies of large scopes, refreshed by the maintenance job; small scopes count theirs in the query itself.
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

-- Dimensions of a sparsevec: what the GIN index of a partition is over. pgvector has no accessor, so its text form is taken apart.
create function lexeme_dimensions(lexemes sparsevec) returns integer[] language sql immutable strict parallel safe
  as $$ select array(select split_part(entry, ':', 1)::integer
    from string_to_table(split_part(ltrim(lexemes::text, '{'), '}', 1), ',') entry where entry <> '') $$;

-- Row-level security bars operators that are not leakproof from indexes, and && over arrays is one. So keys are looked up by a role that may
-- read this one table and nothing else, cannot log in, and acts only inside the function below; tenant and user come from the transaction,
-- not from an argument, and the caller reads the rows behind the keys under its own policies.
do $$ begin
  create role jeeves_searcher nologin nosuperuser nocreatedb nocreaterole nobypassrls;
exception when duplicate_object or unique_violation then null;
end $$;

grant select on doc_embeddings to jeeves_searcher;
grant usage, create on schema public to jeeves_searcher;
create policy searcher_reads on doc_embeddings for select to jeeves_searcher using (true);

-- Keys of the rows that hold one of `probes`, best first for each tier by idf-weighted counts damped by length: BM25 where every count is 1.
create function search_lexical_keys(p_model_id integer, p_tiers text[], p_probes integer[], p_weights sparsevec,
    p_average_length double precision, p_rows_max integer, p_keys_max integer)
  returns table (document_uid uuid, generation bigint, chunk_index integer)
  language sql stable strict security definer set search_path = public, pg_temp
  as $$
    with found as materialized (
      select e.document_uid, e.generation, e.chunk_index, e.tier,
        -(e.lexemes <#> p_weights) / (1.3 + 0.9 * e.lexeme_count / p_average_length) as weight
      from doc_embeddings e
      where e.tenant_id = app_tenant_id() and e.user_id in ('', app_user_id()) and e.model_id = p_model_id and e.tier = any(p_tiers)
        and lexeme_dimensions(e.lexemes) && p_probes
      limit p_rows_max
    )
    select k.document_uid, k.generation, k.chunk_index from unnest(p_tiers) t (tier) cross join lateral (
      select f.document_uid, f.generation, f.chunk_index from found f where f.tier = t.tier
      order by f.weight desc, f.document_uid, f.chunk_index limit p_keys_max) k
  $$;

-- The migrating role is a member for as long as it takes to hand the function over, and not after: policies hold for members too.
grant jeeves_searcher to current_user;
alter function search_lexical_keys(integer, text[], integer[], sparsevec, double precision, integer, integer) owner to jeeves_searcher;
revoke jeeves_searcher from current_user;
revoke create on schema public from jeeves_searcher;
revoke execute on function search_lexical_keys(integer, text[], integer[], sparsevec, double precision, integer, integer) from public;
grant execute on function search_lexical_keys(integer, text[], integer[], sparsevec, double precision, integer, integer) to jeeves_app;
