-- An index of vectors is used by searches once it was measured: `approved` says so, `ef_search` with how many candidates in sight it was good enough.
-- Written by the owner (`jeeves build-index`); belongs to no tenant.
create table search_indexes (
  index_name text primary key,
  partition_name text not null,
  model_id integer not null,
  approved boolean not null,
  ef_search integer not null check (ef_search between 1 and 1000),
  -- Share of the ten nearest that it found, from 0 to 1, over so many stored vectors.
  recall double precision not null check (recall between 0 and 1),
  sample_count integer not null,
  measured_at timestamptz not null default now()
);
create unique index search_indexes_partition on search_indexes (partition_name, model_id);
grant select on search_indexes to jeeves_app;

-- The partition that holds a tenant's chunks.
create function chunk_partition(p_tenant_id text) returns text
  language sql stable parallel safe strict
  as $$ select 'doc_embeddings_p' || lpad(r::text, 2, '0') from generate_series(0, 15) r
        where satisfies_hash_partition('doc_embeddings'::regclass, 16, r, p_tenant_id) $$;
