import type { R2Bucket } from "@cloudflare/workers-types";
import { ok, type Result } from "../../base/result.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import { rewriteObject, type RewriteError } from "../../wal/rewrite-object.ts";

/** Of no user: no key of a user sees what is theirs. */
const NOBODY = "*";

/** What is left of an input of a user who was erased: its place in the request. */
function erasedDocument({ document_index, tier }: WalDocument): WalDocument {
  return {
    document_index,
    document_id: "",
    user_id: NOBODY,
    tier,
    source: "",
    title: "",
    metadata: {},
    occurred_at_ms: null,
    text: null,
    verdict: "rejected",
    reasons: [{ code: "erased" }],
  };
}

/** Takes documents out of a WAL object or a quarantine object, where there is one; returns how many. Repeating it is harmless. */
export async function eraseFromObject(
  bucket: R2Bucket,
  key: string,
  isErased: (document: WalDocument) => boolean,
): Promise<Result<number, RewriteError>> {
  const rewritten = await rewriteObject(bucket, key, (document) =>
    isErased(document) ? erasedDocument(document) : document,
  );
  return rewritten.ok ? ok(rewritten.value.changedCount) : rewritten;
}

/** The same documents, of which the erased ones are nobody's. */
export function withoutErased(
  documents: readonly WalDocument[],
  isErased: (document: WalDocument) => boolean,
): readonly WalDocument[] {
  return documents.map((document) => (isErased(document) ? erasedDocument(document) : document));
}
