/** Which columns of our documents follow from the others, and by which versions of the rules. docs/FORMATS.md has the formulas. */
import { documentUid, versionKey } from "../../base/document-uid.ts";
import { sha256HexSync } from "../../base/hash.ts";
import type { PackDerivations } from "../../artifact/derivations.ts";
import type { PackHead } from "../../artifact/pack-footer.ts";
import type { PackChunk, PackRecord } from "../../contract/pack-record.ts";
import { hashPrefix, normalisedHash, SKETCH_VERSION } from "../../duplicates/sketch.ts";
import { withoutPayloads } from "../../pii/placeholder.ts";
import { walKey } from "../../wal/wal-key.ts";
import {
  CONTENT_VERSIONS,
  contentHashOf,
  contextOf,
  indexedTextOf,
  speakerLineOf,
} from "../indexing/prepare-document.ts";

/** Changes whenever one of these functions gives another value for the same record and the same other versions. */
const DERIVED_VERSION = "1";

/** What a pack of ours says in `head.versions`. */
export const PACK_VERSIONS: Readonly<Record<string, string>> = {
  derived: DERIVED_VERSION,
  chunker: CONTENT_VERSIONS.chunker,
  lexical: CONTENT_VERSIONS.lexical,
  event_words: CONTENT_VERSIONS.eventWords,
  sketch: String(SKETCH_VERSION),
};

/**
 * Keys and hashes of our documents. Content hashes are made with the versions that the pack names, so that a later release reads what an earlier one left
 * out. Of a pack that names other rules nothing is derived.
 */
export const PACK_DERIVATIONS: PackDerivations = {
  document_uid: derive(({ user_id: userId, tier, document_id: documentId }, { tenant_id: tenantId }) =>
    documentUid({ tenantId, userId, tier, documentId }),
  ),
  version_key: derive(({ wal_id: walId, document_index: documentIndex }) => versionKey(walId, documentIndex)),
  wal_key: derive(({ wal_id: walId }, { tenant_id: tenantId }) => walKey(tenantId, walId)),
  content_hash: derive(contentHash),
  chunk_hash: (record, chunk, head) => (isOfTheseRules(head) ? chunkHash(record, chunk) : null),
  text_hash: (_, { text }, head) =>
    isOfTheseRules(head) && head.versions["sketch"] === PACK_VERSIONS["sketch"]
      ? hashPrefix(normalisedHash(text))
      : null,
};

/** Whether what a pack leaves out can be derived. */
export function isOfTheseRules({ versions }: PackHead): boolean {
  return versions["derived"] === DERIVED_VERSION;
}

function derive(
  from: (record: PackRecord, head: PackHead) => string | null,
): (record: PackRecord, head: PackHead) => string | null {
  return (record, head) => (isOfTheseRules(head) && record.wal_id !== "" ? from(record, head) : null);
}

const MICROSECONDS = 1_000;

function contentHash(record: PackRecord, { versions }: PackHead): string | null {
  const { chunker, lexical, event_words: eventWords } = versions;
  if (record.text === null || chunker === undefined || lexical === undefined || eventWords === undefined) return null;
  const { tier, title, source, metadata, context, occurred_at_us: us } = record;
  return contentHashOf(
    {
      title,
      source,
      metadata,
      tier: tier === "event" ? "event" : "doc",
      occurred_at_ms: us === null ? null : us / MICROSECONDS,
      ...(context === null ? {} : { context }),
    },
    record.text,
    { chunker, lexical, eventWords },
  );
}

/** Of a chunk that stands under no heading but its title. */
function chunkHash({ tier, title, metadata }: PackRecord, { text }: PackChunk): string {
  const speaker = speakerLineOf({ tier: tier === "event" ? "event" : "doc", metadata });
  return sha256HexSync(indexedTextOf(contextOf({ title: withoutPayloads(title), headings: "", speaker }), text));
}
