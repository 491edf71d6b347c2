-- Runs of jobs from their first moment: who runs, how long it can be alive, what started it, how it ended. A row without an end whose time is over
-- is a run that died.
alter table job_runs add column holder text not null default '';
alter table job_runs add column started_by text not null default 'cron' check (started_by in ('cron', 'hand'));
alter table job_runs add column dry_run boolean not null default false;
alter table job_runs add column expires_at timestamptz not null default now();
alter table job_runs add column error_code text not null default '';
alter table job_runs add column report_key text not null default '';

-- The scope `operator` opens what concerns all tenants. Keys with it are the owner's of the database alone: the role of the Workers can look such a
-- key up and do nothing else with it, so that no route of a tenant makes, copies or changes one.
alter table api_keys drop constraint api_keys_scopes_check;
alter table api_keys add constraint api_keys_scopes_check
  check (scopes <@ array['ingest', 'search', 'admin', 'operator'] and cardinality(scopes) > 0);
create policy operator_insert on api_keys as restrictive for insert to jeeves_app
  with check (not ('operator' = any (scopes)));
create policy operator_update on api_keys as restrictive for update to jeeves_app
  using (not ('operator' = any (scopes))) with check (not ('operator' = any (scopes)));
create policy operator_delete on api_keys as restrictive for delete to jeeves_app
  using (not ('operator' = any (scopes)));
