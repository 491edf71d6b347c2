/** What a recount saw, in R2, in Postgres and through the public API. */
import type { Owner } from "./told.ts";

export interface SeenInput extends Owner {
  readonly walId: string;
  readonly documentIndex: number;
  readonly documentId: string;
  /** Null where the gate kept it out. */
  readonly text: string | null;
}

/** A WAL object, decoded. */
export interface SeenObject {
  readonly tenantId: string;
  readonly walId: string;
  readonly batchTag: string;
  readonly rangeCount: number;
  readonly inputs: readonly SeenInput[];
}

export interface LedgerRow {
  readonly tenantId: string;
  readonly walId: string;
  readonly rangeIndex: number;
  readonly state: string;
}

export interface ReceiptRow {
  readonly tenantId: string;
  readonly walId: string;
  readonly documentIndex: number;
  readonly batchTag: string;
  readonly outcome: string;
  readonly chunkCount: number;
}

/** Counters of a batch as its row holds them. */
export interface BatchRow {
  readonly tenantId: string;
  readonly batchTag: string;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly chunkCount: number;
}

/** A live document, and the chunks that are stored of its generation and of others. */
export interface DocumentRow extends Owner {
  readonly documentId: string;
  readonly chunkCount: number;
  readonly storedCount: number;
  readonly staleCount: number;
}

/** Reply to `GET /v1/receipts/{id}?verify=1`; null where there is none. */
export interface Proof {
  readonly tenantId: string;
  readonly receiptId: string;
  readonly outcome: string | null;
  readonly holds: boolean | null;
  readonly failedChunkCount: number;
}

/** A search by the text of a document, of whoever asked. */
export interface Search {
  readonly asker: Owner;
  /** The document that has to be found; null where a stranger asks. */
  readonly expected: string | null;
  readonly foundIds: readonly string[];
  /** What was answered instead of hits. */
  readonly failure: string | null;
}

/** A named batch through the API: its state, or what was answered instead. */
export interface SeenBatch {
  readonly tenantId: string;
  readonly batchTag: string;
  readonly state: string;
  readonly pendingCount: number;
}

/** An event as it stands in a sealed segment, once for each time it stands there. */
export interface SegmentEvent {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly seq: number;
  readonly text: string;
}

export interface SeenInStore {
  readonly objects: readonly SeenObject[];
  readonly ledger: readonly LedgerRow[];
  readonly receipts: readonly ReceiptRow[];
  readonly batches: readonly BatchRow[];
  readonly documents: readonly DocumentRow[];
}

export interface SeenByClients {
  readonly proofs: readonly Proof[];
  readonly searches: readonly Search[];
  readonly batches: readonly SeenBatch[];
  readonly events: readonly SegmentEvent[];
}
