import { documentUid } from "../../base/document-uid.ts";
import { ulidTimeMs } from "../../base/ids.ts";
import { err, ok, type Result } from "../../base/result.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import type { EmbedMessage } from "../../contract/queue-message.ts";
import { selectLedgerRow } from "../../db/queries/ledger.ts";
import { knownDocumentRowSchema, selectKnownDocuments } from "../../db/queries/write-documents.ts";
import { type ModelRow, modelRowSchema, SELECT_MODEL_IN_FORCE } from "../../db/queries/models.ts";
import type { QuarantineRow } from "../../db/queries/quarantine.ts";
import { erasedUserRowSchema, selectErasedUsers } from "../../db/queries/user-erasures.ts";
import { readWalRange, type WalRange } from "../../wal/read-wal-range.ts";
import type { WalHead } from "../../wal/wal-codec.ts";
import { WAL_LIMITS } from "../../wal/wal-limits.ts";
import { type ModelInUse, modelOf } from "../models/model-source.ts";
import type { IndexingContext, IndexRangeError, IndexRangeReport } from "./context.ts";
import type { DuplicateDocument, SketchedDocument } from "./duplicate-document.ts";
import { prepareDocument, type PreparedDocument } from "./prepare-document.ts";
import { eraseLateInputs } from "./erase-late-inputs.ts";
import { findStoredDuplicates } from "./find-stored-duplicates.ts";
import { languageOf } from "./language-of.ts";
import { quarantineRowsOf } from "./quarantine-rows.ts";
import { versionKeyOf } from "./version-key-of.ts";

const NOTHING_DONE = {
  documentCount: 0,
  indexedCount: 0,
  unchangedCount: 0,
  duplicateCount: 0,
  chunkCount: 0,
  chunkReusedCount: 0,
  chunkFailedCount: 0,
  tokenCount: 0,
  tokenReusedCount: 0,
} as const;

/** A range that was read and compared with the store, before anything of it is embedded. */
export interface PreparedRange {
  readonly message: EmbedMessage;
  readonly model: ModelInUse;
  readonly documents: readonly WalDocument[];
  readonly unchanged: readonly PreparedDocument[];
  readonly duplicates: readonly DuplicateDocument[];
  /** What has to be cut, embedded and stored. */
  readonly fresh: readonly SketchedDocument[];
  readonly head: WalHead;
  /** By place in the request. */
  readonly languages: ReadonlyMap<number, string>;
  readonly quarantined: readonly QuarantineRow[];
}

/** `applied`: it was before, and nothing is left to do. */
export type Preparation =
  | { readonly state: "applied"; readonly report: IndexRangeReport }
  | { readonly state: "prepared"; readonly range: PreparedRange };

/** Loads a range and parts its documents into what the store holds already and what is new to it. Writes nothing to the store. */
export async function prepareRange(
  context: IndexingContext,
  message: EmbedMessage,
): Promise<Result<Preparation, IndexRangeError>> {
  const range = await readWalRange(context.bucket, message.wal_key, message.range_index, WAL_LIMITS);
  if (!range.ok) return range.error.code === "wal_missing" ? appliedBefore(context, message) : range;
  const mismatch = mismatchOf(range.value, message);
  if (mismatch !== undefined) return err(mismatch);
  const { head } = range.value;
  const believed = await context.models.active();
  if (!believed.ok) return believed;
  const known = await readKnown(context, message, range.value.documents);
  if (!known.ok) return known;
  if (known.value.ledgerState !== null) return ok(applied(head.received_at_ms));
  // What an isolate believes may be half a minute old; the tenant's own database knows.
  if (known.value.model === undefined) return err({ code: "no_active_model" });
  const model = modelOf(known.value.model, believed.value.storeVariant);
  const kept = await eraseLateInputs(context, message, { ...range.value, erasedBefore: known.value.erasedBefore });
  if (!kept.ok) return kept;
  const documents = kept.value;
  const accepted = acceptedOf(message, documents);
  const changed = accepted.filter((document) => !isUnchanged(document, known.value.documents, model));
  const sorted = await findStoredDuplicates(context, head, changed);
  if (!sorted.ok) return sorted;
  const detect = await context.loadLanguageDetector();
  const prepared = {
    message,
    model,
    documents,
    unchanged: accepted.filter((document) => !changed.includes(document)),
    ...sorted.value,
    head,
    languages: new Map(
      accepted.map(({ document }) => [document.document_index, languageOf(document.text ?? "", detect)]),
    ),
    quarantined: quarantineRowsOf(head, documents),
  };
  return ok({ state: "prepared", range: prepared });
}

function applied(receivedAtMs: number): Preparation {
  return { state: "applied", report: { alreadyApplied: true, ...NOTHING_DONE, receivedAtMs } };
}

/** A message may come once more when its WAL object has gone, which only happens to applied ones. */
async function appliedBefore(
  context: Pick<IndexingContext, "sql">,
  message: EmbedMessage,
): Promise<Result<Preparation, IndexRangeError>> {
  const { tenant_id: tenantId, wal_id: walId, range_index: rangeIndex } = message;
  const statement = selectLedgerRow({ tenantId, walId, rangeIndex });
  const rows = await context.sql.transaction({ tenantId, userId: "*" }, [statement], { readOnly: true });
  if (!rows.ok) return rows;
  if (rows.value[0]?.[0] === undefined) return err({ code: "wal_missing" });
  return ok(applied(ulidTimeMs(walId)));
}

function acceptedOf(message: EmbedMessage, documents: readonly WalDocument[]): readonly PreparedDocument[] {
  return documents
    .filter((document) => document.verdict === "accepted" || document.verdict === "duplicate")
    .map((document) => prepareVersion(message, document));
}

/** The document as prepared; one that comes again by a decision of ours keeps the place of the version it was. */
function prepareVersion(message: EmbedMessage, document: WalDocument): PreparedDocument {
  const prepared = prepareDocument(message.tenant_id, message.wal_id, document);
  return { ...prepared, versionKey: versionKeyOf(message.wal_id, document) };
}

/** A message that does not fit its WAL object is wrong for ever. */
function mismatchOf(range: WalRange, message: EmbedMessage): IndexRangeError | undefined {
  const { head, documents, rangeCount } = range;
  if (head.tenant_id !== message.tenant_id || head.wal_id !== message.wal_id) {
    return { code: "wal_mismatch", detail: "the message names another tenant or WAL id than the object" };
  }
  if (rangeCount !== message.range_count || documents.length !== message.document_count) {
    return { code: "wal_mismatch", detail: "the message cuts the object into other ranges than the object itself" };
  }
  return undefined;
}

interface KnownDocument {
  readonly versionKey: string;
  readonly contentHash: string;
  readonly modelId: number;
  readonly deleted: boolean;
  readonly duplicate: boolean;
  readonly piiVersion: string;
}

interface Known {
  readonly ledgerState: string | null;
  readonly documents: ReadonlyMap<string, KnownDocument>;
  /** The active one. */
  readonly model: ModelRow | undefined;
  /** By user: the version before which what they sent is gone. */
  readonly erasedBefore: ReadonlyMap<string, string>;
}

async function readKnown(
  context: IndexingContext,
  message: EmbedMessage,
  inputs: readonly WalDocument[],
): Promise<Result<Known, IndexRangeError>> {
  const key = { tenantId: message.tenant_id, walId: message.wal_id, rangeIndex: message.range_index };
  const uids = inputs.map(({ user_id: userId, tier, document_id: documentId }) =>
    documentUid({ tenantId: key.tenantId, userId, tier, documentId }),
  );
  const userIds = new Set(inputs.map((input) => input.user_id));
  const rows = await context.sql.transaction(
    { tenantId: message.tenant_id, userId: "*" },
    [
      selectLedgerRow(key),
      selectKnownDocuments(message.tenant_id, uids),
      selectErasedUsers(message.tenant_id, userIds),
      SELECT_MODEL_IN_FORCE,
    ],
    { readOnly: true },
  );
  if (!rows.ok) return rows;
  const documents = new Map<string, KnownDocument>();
  for (const row of rows.value[1] ?? []) {
    const parsed = knownDocumentRowSchema.parse(row);
    documents.set(parsed.document_uid, {
      versionKey: parsed.version_key,
      contentHash: parsed.content_hash,
      modelId: parsed.model_id,
      deleted: parsed.deleted,
      duplicate: parsed.duplicate,
      piiVersion: parsed.pii_version,
    });
  }
  const ledgerState = rows.value[0]?.[0]?.["state"];
  const erased = (rows.value[2] ?? []).map((row) => erasedUserRowSchema.parse(row));
  return ok({
    ledgerState: typeof ledgerState === "string" ? ledgerState : null,
    documents,
    model: modelRowSchema.optional().parse(rows.value[3]?.[0]),
    erasedBefore: new Map(erased.map((row) => [row.user_id, row.erased_before])),
  });
}

/**
 * Whether the store holds this very content, or a later version, under the active model already. What holds no text of its own is looked at
 * again, since its original may be gone.
 */
function isUnchanged(
  document: PreparedDocument,
  documents: ReadonlyMap<string, KnownDocument>,
  model: ModelInUse,
): boolean {
  const known = documents.get(document.documentUid);
  if (known === undefined) return false;
  if (known.versionKey >= document.versionKey) return true;
  return (
    !known.deleted && !known.duplicate && known.contentHash === document.contentHash && known.modelId === model.modelId
  );
}
