import { receiptId } from "../../base/document-uid.ts";
import { hexOf, utf8Bytes } from "../../base/bytes.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import type { QuarantineRow } from "../../db/queries/quarantine.ts";
import { createObject, CREATE_OPTIONS } from "../../wal/create-object.ts";
import { encodeWal, type WalHead } from "../../wal/wal-codec.ts";
import type { IndexingContext, IndexRangeError } from "./context.ts";

/** R2 key of a quarantined input. */
export function quarantineKey(tenantId: string, quarantineId: string): string {
  return `quarantine/${tenantId}/${quarantineId}.mpz`;
}

/** Writes each quarantined input to an object of its own, create-if-absent, and returns the rows that list them. */
export async function storeQuarantined(
  context: Pick<IndexingContext, "bucket">,
  head: WalHead,
  documents: readonly WalDocument[],
): Promise<Result<readonly QuarantineRow[], IndexRangeError>> {
  const rows: QuarantineRow[] = [];
  for (const document of documents) {
    if (document.verdict !== "quarantined") continue;
    const quarantineId = receiptId(head.wal_id, document.document_index);
    const objectKey = quarantineKey(head.tenant_id, quarantineId);
    const encoded = encodeWal(head, [document], [{ documentStart: 0, documentCount: 1 }]);
    const object = {
      key: objectKey,
      bytes: encoded.bytes,
      contentHash: hexOf(encoded.digest),
      metadata: {},
      mediaType: "application/vnd.jeeves.wal",
    };
    const created = await createObject(context.bucket, object, CREATE_OPTIONS);
    if (!created.ok) return err({ code: "storage_unavailable", cause: created.error });
    rows.push({
      quarantineId,
      userId: document.user_id,
      documentId: document.document_id,
      source: document.source,
      reasons: document.reasons,
      objectKey,
      sizeBytes: utf8Bytes(document.text ?? "").length,
    });
  }
  return ok(rows);
}
