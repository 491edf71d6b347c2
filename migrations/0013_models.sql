-- Several embedding models side by side: one is active, others are filled beside it (shadow), others are gone (retired).
-- held_until, on the active row: until then no range is committed, so that nothing is added while the active model changes. It ends by itself.
alter table embedding_models
  add column activated_at timestamptz,
  add column deactivated_at timestamptz,
  add column held_until timestamptz;

update embedding_models set activated_at = created_at where state = 'active';

-- Whatever writes vectors calls this first in its transaction: writers do not wait for each other, a change of the models waits for them, and they for it.
-- Fails (40001, worth a retry) where the model is in none of the states any more, or, for a writer that waits, while it is held.
create function hold_model(p_model_id integer, p_states text[], p_waits boolean) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('embedding_models', 0));
  if not exists (select from embedding_models where model_id = p_model_id and state = any(p_states)
      and not (p_waits and coalesce(held_until > clock_timestamp(), false))) then
    raise exception 'the embedding model changes or has changed' using errcode = '40001';
  end if;
end $$;

-- What could not be embedded under a model: a chunk that the model refuses, or (chunk_index -1) a whole document. Counts only while the document has
-- that generation.
create table model_refusals (
  tenant_id text not null,
  document_uid uuid not null,
  model_id integer not null,
  generation bigint not null,
  chunk_index integer not null,
  code text not null,
  refused_at timestamptz not null default now(),
  primary key (tenant_id, document_uid, model_id, chunk_index)
);

create index model_refusals_model on model_refusals (tenant_id, model_id);

-- What filling a model has done so far, counted in the transactions that wrote the vectors.
create table model_progress (
  tenant_id text not null,
  model_id integer not null,
  document_count bigint not null default 0,
  chunk_count bigint not null default 0,
  token_count bigint not null default 0,
  embed_ms bigint not null default 0,
  updated_at timestamptz not null default now(),
  primary key (tenant_id, model_id)
);

-- Documents whose rows are those of a model that is not the active one any more.
create index documents_model on documents (tenant_id, model_id);

alter table model_refusals enable row level security;
alter table model_refusals force row level security;
create policy tenant_isolation on model_refusals
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));

alter table model_progress enable row level security;
alter table model_progress force row level security;
create policy tenant_isolation on model_progress
  using (tenant_id = (select app_tenant_id())) with check (tenant_id = (select app_tenant_id()));

grant select, insert, update, delete on model_refusals, model_progress to jeeves_app;
