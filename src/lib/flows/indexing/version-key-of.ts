import { versionKey } from "../../base/document-uid.ts";
import type { WalDocument } from "../../contract/wal-record.ts";

/** Place of an input among the versions of its document: where it came, or, for one that comes again by a decision of ours, where it was. */
export function versionKeyOf(walId: string, document: WalDocument): string {
  return document.curation?.reentry?.version_key ?? versionKey(walId, document.document_index);
}

/** Digits of the count of re-entries: a hundred thousand of one version are a loop. */
const COUNT_DIGITS = 5;

/** The key right after a version: later than it, and earlier than whatever its client sends next. */
export function nextVersionKey(key: string): string {
  const [base = key, count = "0"] = key.split("~");
  return `${base}~${String(Number(count) + 1).padStart(COUNT_DIGITS, "0")}`;
}
