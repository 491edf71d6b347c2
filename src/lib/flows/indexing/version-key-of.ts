import { versionKey } from "../../base/document-uid.ts";
import type { WalDocument } from "../../contract/wal-record.ts";

/** Place of an input among the versions of its document: where it came, or, for one that comes again by a decision of ours, where it was. */
export function versionKeyOf(walId: string, document: WalDocument): string {
  return document.curation?.reentry?.version_key ?? versionKey(walId, document.document_index);
}
