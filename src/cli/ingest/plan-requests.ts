import { sha256HexSync } from "../../lib/base/hash.ts";
import type { DocumentInput } from "../../lib/contract/document.ts";

/** A document with the hash of all that is sent of it. */
export interface HashedDocument {
  readonly document: DocumentInput;
  readonly hash: string;
}

export interface PlannedRequest {
  readonly documents: readonly HashedDocument[];
  /** Made of the content: the same request sent again gets the first reply. */
  readonly idempotencyKey: string;
}

/** Documents of one request at most. Small requests are searchable sooner and lose less to Ctrl-C. */
export const REQUEST_DOCUMENTS = 100;
/** Characters of one request at most: far from the service's 16 MiB, so that one is sent in a second on a slow line. */
const REQUEST_CHARACTERS = 1024 * 1024;

export function hashedDocument(document: DocumentInput): HashedDocument {
  return { document, hash: sha256HexSync(JSON.stringify(document)).slice(0, 32) };
}

/** A batch's name by its content: the same documents in any order are the same batch. */
export function contentBatchTag(documents: readonly HashedDocument[]): string {
  const hashes = documents.map(({ hash }) => hash).sort();
  return `ingest-${sha256HexSync(hashes.join(" ")).slice(0, 16)}`;
}

/** Requests in the order of the documents, each within its bounds. What is left after an interruption is planned into the same requests. */
export function planRequests(documents: readonly HashedDocument[], batchTag: string): readonly PlannedRequest[] {
  const groups: HashedDocument[][] = [];
  let characters = 0;
  for (const hashed of documents) {
    const last = groups.at(-1);
    const size = hashed.document.text.length;
    if (last === undefined || last.length >= REQUEST_DOCUMENTS || characters + size > REQUEST_CHARACTERS) {
      groups.push([hashed]);
      characters = size;
    } else {
      last.push(hashed);
      characters += size;
    }
  }
  return groups.map((group) => ({
    documents: group,
    idempotencyKey: sha256HexSync([batchTag, ...group.map(({ hash }) => hash)].join(" ")).slice(0, 48),
  }));
}
