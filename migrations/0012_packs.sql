-- What a pack holds: records, the dictionary that it needs, the model of its vectors. Null for artifacts of other kinds, and where there is none.
alter table artifacts
  add column record_count bigint,
  add column dictionary_id text,
  add column fingerprint text;

-- Which version of the document a member of a pack is: the input that it was made of. Null for members of segments, which have one version each.
alter table artifact_members
  add column wal_id text collate "C",
  add column document_index integer;

-- A WAL object may go once every document that was made of it lies in a pack.
create index documents_wal on documents (tenant_id, wal_id);
