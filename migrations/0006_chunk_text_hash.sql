-- The loop guard looks up by it which chunk a text is that comes back. It is null in chunks written before there was one: until they are
-- indexed anew, they are known by the whole text of their document alone.
alter table doc_embeddings add column text_hash bigint;
create index doc_embeddings_text_hash on doc_embeddings (tenant_id, text_hash, user_id) where text_hash is not null;
