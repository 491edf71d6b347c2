-- Equal words at other times are other events: a refrain said ten thousand times is looked up by its hash and its minute.
create index document_signatures_time on document_signatures (tenant_id, normalised_hash, occurred_at);
drop index document_signatures_hash;
