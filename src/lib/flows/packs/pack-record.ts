/** A document between its rows, its WAL object and a pack. Pure. */
import { ulidTimeMs } from "../../base/ids.ts";
import { metadataSchema } from "../../contract/document.ts";
import type { PackChunk, PackRecord } from "../../contract/pack-record.ts";
import { type PackedAdmission, packedAdmissionSchema } from "../../contract/packed-admission.ts";
import { tierSchema } from "../../contract/scope.ts";
import type { WalDocument } from "../../contract/wal-record.ts";
import type { PackedChunkRow, PackedDocumentRow } from "../../db/queries/packs.ts";
import type { WalHead } from "../../wal/wal-codec.ts";

/** An input as its WAL object has it. */
export interface StoredInput {
  readonly head: WalHead;
  readonly document: WalDocument;
}

export interface DocumentRows {
  readonly row: PackedDocumentRow;
  readonly chunks: readonly PackedChunkRow[];
  /** Place of the document's model among the pack's. */
  readonly model: number;
}

/** The record of a document, or undefined where the input is not the one that the row was made of. */
export function packRecordOf({ row, chunks, model }: DocumentRows, input: StoredInput): PackRecord | undefined {
  const { document } = input;
  const isSame =
    document.user_id === row.user_id && document.tier === row.tier && document.document_id === row.document_id;
  const metadata = metadataSchema.safeParse(row.metadata);
  if (!isSame || document.text === null || !metadata.success) return undefined;
  const { fingerprint: _fingerprint, ...columns } = row;
  return {
    ...columns,
    metadata: metadata.data,
    model,
    text: document.text,
    deleted_at_us: null,
    context: document.context ?? null,
    admission: JSON.stringify(admissionOf(input)),
    chunks: chunks.map((chunk): PackChunk => {
      const { document_uid: _uid, ...own } = chunk;
      return { ...own, model, vector: null };
    }),
  };
}

function admissionOf({ head, document }: StoredInput): PackedAdmission {
  return {
    gate_version: head.gate_version,
    ...(head.policy_version === undefined ? {} : { policy_version: head.policy_version }),
    ...(head.duplicates === undefined ? {} : { duplicates: head.duplicates }),
    ...(head.origin === undefined ? {} : { origin: head.origin }),
    ...(document.reasons.length === 0 ? {} : { reasons: document.reasons }),
    ...(document.curation === undefined ? {} : { curation: document.curation }),
  };
}

/** Name of a request that is known from a pack alone. */
const PACKED_REQUEST_ID = "packed";
const MICROSECONDS = 1_000;

/** The input that a record was made of, or undefined where the record does not tell it. */
export function storedInputOf(tenantId: string, record: PackRecord): StoredInput | undefined {
  const admission = packedAdmissionSchema.safeParse(parsed(record.admission));
  const tier = tierSchema.safeParse(record.tier);
  if (record.text === null || !admission.success || !tier.success) return undefined;
  const { reasons = [], curation, ...judged } = admission.data;
  return {
    head: {
      version: 1,
      tenant_id: tenantId,
      wal_id: record.wal_id,
      batch_tag: record.batch_tag,
      received_at_ms: ulidTimeMs(record.wal_id),
      request_id: PACKED_REQUEST_ID,
      pii_version: record.pii_version,
      ...judged,
    },
    document: {
      document_index: record.document_index,
      document_id: record.document_id,
      user_id: record.user_id,
      tier: tier.data,
      source: record.source,
      title: record.title,
      metadata: record.metadata,
      occurred_at_ms: record.occurred_at_us === null ? null : record.occurred_at_us / MICROSECONDS,
      text: record.text,
      ...(record.context === null ? {} : { context: record.context }),
      ...(record.series === null ? {} : { series: record.series, series_position: record.series_position }),
      verdict: "accepted",
      reasons,
      ...(curation === undefined ? {} : { curation }),
    },
  };
}

function parsed(json: string | null): unknown {
  try {
    return json === null ? undefined : JSON.parse(json);
  } catch {
    return undefined;
  }
}
