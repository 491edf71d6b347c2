import { receiptId, versionKey } from "../../base/document-uid.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import type { QuarantineRow } from "../../db/queries/quarantine.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import { quarantineKey } from "../quarantine/quarantine-object.ts";

/** The rows that list the quarantined inputs of a range; their text lies in the quarantine object since the edge. Pure. */
export function quarantineRowsOf(head: WalHead, documents: readonly WalDocument[]): readonly QuarantineRow[] {
  return documents
    .filter((document) => document.verdict === "quarantined")
    .map((document) => ({
      quarantineId: receiptId(head.wal_id, document.document_index),
      userId: document.user_id,
      documentId: document.document_id,
      documentIndex: document.document_index,
      tier: document.tier,
      source: document.source,
      reasons: document.reasons,
      versionKey: versionKey(head.wal_id, document.document_index),
      objectKey: quarantineKey(head.tenant_id, head.wal_id),
      objectRange: document.curation?.held?.range_index ?? 0,
      sizeBytes: document.curation?.held?.size_bytes ?? 0,
    }));
}
